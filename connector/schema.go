package connector

// schema is what a value's conversion needs to know of its type, whichever way it came: with the record, as Kafka Connect's JSON
// converter writes it (newSchema), or from the broker's registry (ParseSchema).
type schema struct {
	kind   string            // "int32", "double", "bytes", "struct", ...
	name   string            // semantic type, "" for none
	params map[string]string // of the semantic type: scale, length
	fields map[string]*schema
	items  *schema // of an array's elements, or of a map's values
	preset any     // the column's default, as parsed; nil when it has none
}

// newSchema reads a Kafka Connect JSON schema; nil gives nil. Its depth is bounded by maxDepth of the text.
func newSchema(node map[string]any) *schema {
	if node == nil {
		return nil
	}
	s := &schema{}
	s.kind, _ = node["type"].(string)
	s.name, _ = node["name"].(string)
	s.preset = node["default"]
	if params, ok := node["parameters"].(map[string]any); ok {
		s.params = make(map[string]string, len(params))
		for name, v := range params {
			s.params[name], _ = v.(string)
		}
	}
	if list, ok := node["fields"].([]any); ok {
		s.fields = make(map[string]*schema, len(list))
		for _, v := range list {
			member, _ := v.(map[string]any)
			name, _ := member["field"].(string)
			s.fields[name] = newSchema(member)
		}
	}
	for _, inner := range []string{"items", "values"} {
		if member, ok := node[inner].(map[string]any); ok {
			s.items = newSchema(member)
		}
	}
	return s
}

// field returns the type of a struct's member, nil when it is not known.
func (s *schema) field(name string) *schema {
	if s == nil {
		return nil
	}
	return s.fields[name]
}

// element returns the type of an array's elements or a map's values, nil when it is not known.
func (s *schema) element() *schema {
	if s == nil {
		return nil
	}
	return s.items
}

// fieldSchema returns one member's node of a struct's JSON schema without reading the others.
func fieldSchema(node map[string]any, name string) map[string]any {
	list, _ := node["fields"].([]any)
	for _, v := range list {
		if member, ok := v.(map[string]any); ok && member["field"] == name {
			return member
		}
	}
	return nil
}
