package search

import "strings"

// Canonical prints a clause from what was understood of it, never as it came: local
// references are relative, and each value is escaped anew. Parsed again it asks the
// same. It is for servers that are asked on somebody's behalf, who read the text
// with a parser of their own.
func (c Clause) Canonical() (name, value string) {
	var parts []string
	if c.Parameter.Type == TypeReference && c.Modifier == "" {
		for _, o := range c.Operands {
			parts = append(parts, o.printReference())
		}
		return c.name(), strings.Join(parts, ",")
	}
	for _, text := range splitUnescaped(c.text, ',') {
		parts = append(parts, c.reprint(text))
	}
	return c.name(), strings.Join(parts, ",")
}

// reprint escapes the parts of one alternative anew.
func (c Clause) reprint(text string) string {
	switch {
	case c.Modifier == "missing" || c.Parameter.Type == TypeDate || c.Parameter.Type == TypeNumber:
		return text // digits and a few letters, as they were parsed
	case c.Parameter.Type == TypeComposite:
		return c.reprintTogether(text)
	case c.Modifier == "identifier" || c.Parameter.Type == TypeToken || c.Parameter.Type == TypeQuantity:
		parts := splitUnescaped(text, '|')
		for i, part := range parts {
			parts[i] = Escape(unescape(part))
		}
		return strings.Join(parts, "|")
	}
	return Escape(unescape(text))
}

func (o Operand) printReference() string {
	switch {
	case o.URL != "":
		return Escape(o.URL)
	case o.Reference.Type == "":
		return o.Reference.ID
	}
	return o.Reference.String()
}

// Escape makes a text one value (R4 search §3.1.1.4.14).
func Escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)
