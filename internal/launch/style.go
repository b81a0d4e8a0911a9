package launch

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/door"
)

//go:embed style.json
var ourStyle []byte

// OurStyle is how the pages of this server look, for apps that want to look alike.
func OurStyle() (*Style, error) { return NewStyle(ourStyle) }

// Style is a style document (SMART App Launch 2.2, scopes: smart_style_url). Its
// path names its content, so that a change of the one is a change of the other
// (CTX-20).
type Style struct {
	body []byte
	path string
}

// styleKeys are what the specification defines.
var styleKeys = []string{
	"color_background", "color_error", "color_highlight", "color_modal_backdrop", "color_success", "color_text",
	"dim_border_radius", "dim_font_size", "dim_spacing_size", "font_family_body", "font_family_heading",
}

// NewStyle reads a style document: one JSON object of texts under the keys that the
// specification defines.
func NewStyle(document []byte) (*Style, error) {
	var style map[string]string
	if err := json.Unmarshal(document, &style); err != nil {
		return nil, fmt.Errorf("launch: the style is not a JSON object of texts: %w", err)
	}
	if len(style) == 0 {
		return nil, errors.New("launch: the style is empty")
	}
	for key := range style {
		if !slices.Contains(styleKeys, key) {
			return nil, fmt.Errorf("launch: %q is not a key of a style", key)
		}
	}
	sum := sha256.Sum256(document)
	return &Style{document, "/style/" + hex.EncodeToString(sum[:8]) + ".json"}, nil
}

// Path is where the document is served.
func (s *Style) Path() string { return s.path }

// ServeHTTP answers GET and HEAD, to everybody (CTX-19). The address is never used
// for anything else, so caches may keep it.
func (s *Style) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		door.MethodNotAllowed(w, http.MethodGet)
		return
	}
	h := w.Header()
	etag := `"` + strings.TrimSuffix(strings.TrimPrefix(s.path, "/style/"), ".json") + `"`
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	_, _ = w.Write(s.body)
}
