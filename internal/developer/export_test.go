package developer

import (
	"net/url"

	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Judge reads a form and makes the client of it, or says what is wrong.
func (d *Door) Judge(typed url.Values) (store.Client, string, []page.FieldProblem, error) {
	m, problems := d.read(typed)
	if len(problems) > 0 {
		return store.Client{}, "", problems, nil
	}
	return d.judged(m)
}
