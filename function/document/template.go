package document

import (
	"bytes"
	"text/template"
	"text/template/parse"

	"github.com/rowvec/rowvec/connector"
)

// rowTemplate is a parsed text template and what it reads of a row.
type rowTemplate struct {
	tmpl    *template.Template
	columns []string // that it names, sorted
	whole   bool     // it reads the row as a whole, too: {{.}}, {{range $name, $value := .}}
}

// parseTemplate parses Spec.Text. Errors name the setting.
func parseTemplate(spec *Spec) (*rowTemplate, error) {
	if spec.Text == "" {
		return nil, spec.bad("text", "no template; expected one like {{.title}}: {{.body}}")
	}
	tmpl, err := template.New("text").Option("missingkey=error").Funcs(templateFuncs()).Parse(spec.Text)
	if err != nil {
		return nil, &Error{
			class: classHalt, reason: ReasonBadSetting, Setting: spec.setting("text"),
			msg: "the template does not parse", err: err,
		}
	}
	columns, whole := namedColumns(tmpl)
	if len(columns) == 0 && !whole {
		return nil, spec.bad("text", "the template names no column, so that all rows would have the same text; write {{.title}} for column title")
	}
	for _, t := range tmpl.Templates() {
		if t.Tree != nil {
			showValues(t.Root)
		}
	}
	return &rowTemplate{tmpl: tmpl, columns: columns, whole: whole}, nil
}

// execute renders the row's text into buf.
func (t *rowTemplate) execute(buf *bytes.Buffer, row connector.Row) error {
	return t.tmpl.Execute(buf, map[string]any(row))
}

// showValues ends every pipeline that prints with a call of text, so that null, floats and arrays print as text writes them and not
// in Go's notation. html/template puts its escapers in the same way.
func showValues(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			showValues(child)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			call := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{parse.NewIdentifier("text").SetPos(n.Pos)}}
			n.Pipe.Cmds = append(n.Pipe.Cmds, call)
		}
	case *parse.IfNode:
		showBranches(&n.BranchNode)
	case *parse.WithNode:
		showBranches(&n.BranchNode)
	case *parse.RangeNode:
		showBranches(&n.BranchNode)
	}
}

func showBranches(n *parse.BranchNode) {
	showValues(n.List)
	showValues(n.ElseList)
}
