package search

import "strings"

// under reports whether a URL is another one, or lies below it: path by path, never in
// the middle of a name (the modifiers :above and :below, FHIR R4 search §3.1.1.4.4).
func under(url, root string) bool {
	root = strings.TrimSuffix(root, "/")
	return url == root || strings.HasPrefix(url, root+"/")
}

// Ancestors are all texts that the URL of an operand lies under, itself among them.
func (o Operand) Ancestors() []string {
	list := []string{o.URL, o.URL + "/"}
	for i := range o.URL {
		if o.URL[i] == '/' {
			list = append(list, o.URL[:i], o.URL[:i+1])
		}
	}
	return list
}

// hierarchical: an OID or a UUID has nothing above or below it.
func hierarchical(url string) bool {
	scheme, rest, found := strings.Cut(url, "://")
	return found && scheme != "" && rest != "" && !strings.Contains(scheme, "/")
}
