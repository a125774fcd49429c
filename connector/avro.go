package connector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// Schema is what the broker's registry says of a topic's records: the types of the key's and the row's columns.
type Schema struct {
	key   *schema // nil when the table has no key, or the registry does not tell
	value *schema // of the event: before, after, source, ...
}

func (s *Schema) image(name string) *schema {
	if s == nil {
		return nil
	}
	return s.value.field(name)
}

// ParseSchema reads a topic's schema as Pulsar's admin interface gives it: its type ("KEY_VALUE", "JSON", "AVRO") and its data. For
// KEY_VALUE the data is an object with key and value, each an Avro schema, or an object that holds one as its member schema, which is
// how pulsar-admin prints it. A type that speaks of no row (STRING, BYTES, ...) gives nil and no error.
//
// The Avro schemas are Kafka Connect's: the semantic types stand in connect.name and connect.parameters. Parts that are not understood
// are left out: their values stay what their JSON is. The error is a *MalformedError.
func ParseSchema(kind string, data []byte) (*Schema, error) {
	switch kind {
	case "KEY_VALUE", "JSON", "AVRO":
	default:
		return nil, nil //nolint:nilnil // no schema is an answer, too: documented
	}
	parsed, err := parse(data, ReasonBadSchema)
	if err != nil {
		return nil, err
	}
	root, ok := parsed.(map[string]any)
	if !ok {
		return nil, malformed(ReasonBadSchema, "a schema as a JSON object", describe(parsed))
	}
	s := &Schema{}
	if kind == "KEY_VALUE" {
		s.key, s.value = newAvro(unwrapped(root["key"])), newAvro(unwrapped(root["value"]))
	} else {
		s.value = newAvro(root)
	}
	if s.value == nil || s.value.fields == nil {
		return nil, malformed(ReasonBadSchema, "the schema of a change event", fmt.Sprintf("%s of %d bytes", kind, len(data)))
	}
	return s, nil
}

// unwrapped opens the object that pulsar-admin prints around each side's schema.
func unwrapped(node any) any {
	if object, ok := node.(map[string]any); ok && object["schema"] != nil {
		return object["schema"]
	}
	return node
}

// avroKinds are the kinds that Avro names otherwise than Kafka Connect.
var avroKinds = map[string]string{"int": "int32", "long": "int64", "record": "struct", "enum": "string", "fixed": "bytes"}

// avroLogical are Avro's own semantic types, for a schema without connect.name.
var avroLogical = map[string]string{
	"decimal": "org.apache.kafka.connect.data.Decimal", "date": "org.apache.kafka.connect.data.Date",
	"time-millis": "org.apache.kafka.connect.data.Time", "time-micros": "io.debezium.time.MicroTime",
	"timestamp-millis": "org.apache.kafka.connect.data.Timestamp", "timestamp-micros": "io.debezium.time.MicroTimestamp",
}

// avro reads one document's types. A named type is written out where it first stands and referred to by its name from there on.
type avro struct{ named map[string]*schema }

func newAvro(node any) *schema { return (&avro{named: map[string]*schema{}}).read(node, "") }

// read returns nil for what tells nothing. Its depth is bounded by maxDepth of the text.
func (a *avro) read(node any, namespace string) *schema {
	switch node := node.(type) {
	case string:
		return a.reference(node, namespace)
	case []any:
		return a.union(node, namespace)
	case map[string]any:
		return a.object(node, namespace)
	default:
		return nil
	}
}

func (a *avro) reference(name, namespace string) *schema {
	for _, full := range []string{qualified(name, namespace), name} {
		if s, ok := a.named[full]; ok {
			return s
		}
	}
	return &schema{kind: cmp.Or(avroKinds[name], name)}
}

// union is how an optional value is written: one type beside null.
func (a *avro) union(branches []any, namespace string) *schema {
	for _, branch := range branches {
		if branch != "null" {
			return a.read(branch, namespace)
		}
	}
	return nil
}

func (a *avro) object(node map[string]any, namespace string) *schema {
	kind, ok := node["type"].(string)
	if !ok {
		return a.read(node["type"], namespace) // {"type": {"type": ...}}
	}
	s := &schema{kind: cmp.Or(avroKinds[kind], kind), params: avroParameters(node)}
	logical, _ := node["logicalType"].(string)
	s.name, _ = node["connect.name"].(string)
	s.name = cmp.Or(s.name, avroLogical[logical])
	if name, _ := node["name"].(string); name != "" && (kind == "record" || kind == "enum" || kind == "fixed") {
		if own, ok := node["namespace"].(string); ok {
			namespace = own
		}
		full := qualified(name, namespace)
		a.named[full] = s // before its fields, which may refer to it
		if dot := strings.LastIndexByte(full, '.'); dot >= 0 {
			namespace = full[:dot]
		}
	}
	a.members(s, node, namespace)
	return s
}

func (a *avro) members(s *schema, node map[string]any, namespace string) {
	for _, inner := range []string{"items", "values"} {
		if node[inner] != nil {
			s.items = a.read(node[inner], namespace)
		}
	}
	list, ok := node["fields"].([]any)
	if !ok {
		return
	}
	s.fields = make(map[string]*schema, len(list))
	for _, v := range list {
		member, _ := v.(map[string]any)
		if name, ok := member["name"].(string); ok {
			s.fields[name] = a.read(member["type"], namespace).withPreset(member["default"])
		}
	}
}

// withPreset returns the type of a column with that default; the type may be another column's, too.
func (s *schema) withPreset(preset any) *schema {
	if s == nil || preset == nil {
		return s
	}
	own := *s
	own.preset = preset
	return &own
}

// avroParameters reads connect.parameters; a decimal's scale stands beside them, too.
func avroParameters(node map[string]any) map[string]string {
	params := map[string]string{}
	if scale, ok := node["scale"].(json.Number); ok {
		params["scale"] = scale.String()
	} else if node["logicalType"] == "decimal" {
		params["scale"] = "0" // Avro's default
	}
	given, _ := node["connect.parameters"].(map[string]any)
	for name, v := range given {
		if text, ok := v.(string); ok {
			params[name] = text
		}
	}
	return params
}

// qualified is an Avro name with its namespace.
func qualified(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return name
	}
	return namespace + "." + name
}
