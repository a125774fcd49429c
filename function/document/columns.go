package document

import (
	"maps"
	"slices"
	"text/template"
	"text/template/parse"
)

// namedColumns walks the template and returns the columns that it names, in taken and not taken branches alike, and whether it uses
// the row as a whole besides.
//
// A column is a field of the row: {{.title}}, {{$.title}}, {{index . "my column"}}. Inside {{with .attrs}} and {{range .items}} the
// dot is something else, and its fields are no columns. A variable that holds the row counts as the row.
func namedColumns(tmpl *template.Template) (columns []string, whole bool) {
	w := &walker{tmpl: tmpl, names: map[string]bool{}, called: map[string]bool{}}
	if tmpl.Tree != nil {
		w.list(tmpl.Root, newScope())
	}
	return slices.Sorted(maps.Keys(w.names)), w.whole
}

type walker struct {
	tmpl   *template.Template
	names  map[string]bool
	whole  bool
	called map[string]bool // templates walked with the row as their dot
}

// scope tells what is the row at one place of the template.
type scope struct {
	dot  bool
	vars map[string]bool
}

func newScope() scope { return scope{dot: true, vars: map[string]bool{"$": true}} }

// inner is the scope of a block whose dot may be another value.
func (s scope) inner(dot bool) scope { return scope{dot: dot, vars: maps.Clone(s.vars)} }

func (w *walker) list(list *parse.ListNode, s scope) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		w.node(node, s)
	}
}

func (w *walker) node(node parse.Node, s scope) {
	switch n := node.(type) {
	case *parse.ActionNode:
		w.action(n.Pipe, s)
	case *parse.IfNode:
		in := s.inner(s.dot)
		w.declare(n.Pipe, in)
		w.list(n.List, in.inner(in.dot))
		w.list(n.ElseList, in)
	case *parse.WithNode:
		in := s.inner(s.dot)
		row := w.declare(n.Pipe, in)
		w.list(n.List, in.inner(row))
		w.list(n.ElseList, in)
	case *parse.RangeNode:
		w.ranges(n, s)
	case *parse.TemplateNode:
		w.call(n, s)
	}
}

// action handles {{...}}: a row that is printed is used as a whole, one that is assigned is not.
func (w *walker) action(pipe *parse.PipeNode, s scope) {
	if row := w.declare(pipe, s); row && len(pipe.Decl) == 0 {
		w.whole = true
	}
}

func (w *walker) ranges(n *parse.RangeNode, s scope) {
	in := s.inner(s.dot)
	if w.pipe(n.Pipe, in) {
		w.whole = true
	}
	for _, v := range n.Pipe.Decl {
		in.vars[v.Ident[0]] = false
	}
	w.list(n.List, in.inner(false))
	w.list(n.ElseList, in)
}

// call handles {{template "name" .}}, where the dot and $ of the called template are the argument.
func (w *walker) call(n *parse.TemplateNode, s scope) {
	if n.Pipe == nil || !w.pipe(n.Pipe, s) || w.called[n.Name] {
		return
	}
	w.called[n.Name] = true
	if t := w.tmpl.Lookup(n.Name); t != nil && t.Tree != nil {
		w.list(t.Root, newScope())
	}
}

// declare walks a pipeline, records what its variables hold and reports whether its value is the row.
func (w *walker) declare(pipe *parse.PipeNode, s scope) (row bool) {
	row = w.pipe(pipe, s)
	for _, v := range pipe.Decl {
		s.vars[v.Ident[0]] = row
	}
	return row
}

// pipe walks a pipeline and reports whether its value is the row itself.
func (w *walker) pipe(pipe *parse.PipeNode, s scope) (row bool) {
	for _, cmd := range pipe.Cmds {
		if row { // the row is piped into this command
			w.whole = true
		}
		row = w.command(cmd, s)
	}
	return row
}

// command walks one command and reports whether its value is the row.
func (w *walker) command(cmd *parse.CommandNode, s scope) bool {
	if len(cmd.Args) == 1 {
		return w.operand(cmd.Args[0], s)
	}
	args := cmd.Args
	if column, ok := w.indexed(args, s); ok {
		w.names[column] = true
		args = args[3:]
	}
	for _, arg := range args {
		if w.operand(arg, s) {
			w.whole = true
		}
	}
	return false
}

// indexed recognises index . "my column", the only way to name a column that is not an identifier.
func (w *walker) indexed(args []parse.Node, s scope) (column string, ok bool) {
	if len(args) < 3 {
		return "", false
	}
	fn, isFn := args[0].(*parse.IdentifierNode)
	name, isName := args[2].(*parse.StringNode)
	if !isFn || !isName || fn.Ident != "index" || !w.isRow(args[1], s) {
		return "", false
	}
	return name.Text, true
}

// operand walks one operand and reports whether it is the row itself.
func (w *walker) operand(node parse.Node, s scope) bool {
	switch n := node.(type) {
	case *parse.FieldNode:
		if s.dot {
			w.names[n.Ident[0]] = true
		}
	case *parse.VariableNode:
		if s.vars[n.Ident[0]] && len(n.Ident) > 1 {
			w.names[n.Ident[1]] = true
		}
	case *parse.ChainNode:
		if w.operand(n.Node, s) && len(n.Field) > 0 {
			w.names[n.Field[0]] = true
		}
	case *parse.PipeNode:
		return w.declare(n, s)
	}
	return w.isRow(node, s)
}

func (w *walker) isRow(node parse.Node, s scope) bool {
	switch n := node.(type) {
	case *parse.DotNode:
		return s.dot
	case *parse.VariableNode:
		return len(n.Ident) == 1 && s.vars[n.Ident[0]]
	default:
		return false
	}
}
