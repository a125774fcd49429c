package cli

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// yamlMap is a mapping that keeps its order when it is printed.
type yamlMap []pair

type pair struct {
	key   string
	value any
}

func (m yamlMap) node() (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range m {
		value, err := valueNode(p.value)
		if err != nil {
			return nil, fmt.Errorf("print %s: %w", p.key, err)
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: p.key}, value)
	}
	return n, nil
}

func valueNode(v any) (*yaml.Node, error) {
	if m, ok := v.(yamlMap); ok {
		return m.node()
	}
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	return n, nil
}
