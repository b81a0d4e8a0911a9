package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// located puts file and line before each thing that is wrong with a configuration; an
// error begins with the key that it is about. A key that the file does not have is told
// by the line of what it belongs to.
func located(path string, data []byte, wrong error) error {
	var all interface{ Unwrap() []error }
	if wrong == nil || !errors.As(wrong, &all) {
		return wrong
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil { // it has been read before
		return wrong
	}
	var told []error
	for _, e := range all.Unwrap() {
		key, _, _ := strings.Cut(e.Error(), ": ")
		if line := lineOf(file, key); line > 0 {
			told = append(told, fmt.Errorf("%s:%d: %w", path, line, e))
			continue
		}
		told = append(told, fmt.Errorf("%s: %w", path, e))
	}
	return errors.Join(told...)
}

// lineOf is where a key stands, or the nearest thing above it; 0: nowhere.
func lineOf(file *ast.File, key string) int {
	for key != "" {
		if at, err := yaml.PathString("$." + key); err == nil {
			if node, err := at.FilterFile(file); err == nil && node != nil {
				return firstLine(node)
			}
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return 0
}

// firstLine of a value; of an object that of its first member.
func firstLine(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	if m, ok := node.(*ast.MappingValueNode); ok {
		return m.Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}
