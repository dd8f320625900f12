package spcparams

import (
	"bytes"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// FormatObjects writes objects as the parameter `objects`, in the layout of Microsoft's documentation, leaving out empty
// fields. For objects without mistakes ParseObjects(FormatObjects(x)) is x.
func FormatObjects(objects []Object) string {
	entries := &yaml.Node{Kind: yaml.SequenceNode}
	for _, o := range objects {
		entry := scalar(encode(o.node()))
		entry.Style = yaml.LiteralStyle
		entries.Content = append(entries.Content, entry)
	}
	return encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(arrayField), entries}})
}

// node is the object as a YAML mapping.
func (o Object) node() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	add := func(field string, value *yaml.Node) {
		if value.Value != "" {
			node.Content = append(node.Content, scalar(field), value)
		}
	}
	add(fieldName, scalar(o.Name))
	add(fieldType, scalar(string(o.Type)))
	add(fieldAlias, scalar(o.Alias))
	add(fieldVersion, scalar(o.Version))
	if o.History != 0 {
		add(fieldHistory, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(o.History)})
	}
	add(fieldFormat, scalar(string(o.Format)))
	add(fieldEncoding, scalar(string(o.Encoding)))
	add(fieldPermission, scalar(o.FilePermission))
	return node
}

// scalar is a string that stays one for every reader: the encoder quotes what could be taken for a number or null.
func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// encode writes a tree of mappings, lists and strings, for which neither the encoder nor the buffer can fail.
func encode(node *yaml.Node) string {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(node); err != nil {
		panic("spcparams: encoding a tree of strings: " + err.Error())
	}
	return b.String()
}
