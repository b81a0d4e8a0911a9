package page

import "io/fs"

// LoadMessages lets tests load a catalogue that is not complete.
func LoadMessages(catalogue fs.FS, code string) (map[string]string, error) {
	return loadMessages(catalogue, code)
}
