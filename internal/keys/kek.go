package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

// kekSize is the size of a key-encrypting key, in bytes.
const kekSize = 32

// nextFile is where the key-encrypting key lies that is to take a place.
func nextFile(path string) string { return path + ".next" }

// unlock reads the key-encrypting key that what is stored is sealed under. It is
// made when nothing is stored: a new one would open nothing of what is. When a
// change of the key was cut short, or another process has made it, the next one
// takes its place here.
func (r *Ring) unlock(stored []store.SigningKey) (box, error) {
	path := r.deps.KEKFile
	b, err := readBox(path)
	switch {
	case err == nil && b.opensAll(stored):
		return b, nil
	case errors.Is(err, fs.ErrNotExist) && len(stored) == 0:
		return makeBox(path)
	}
	next, otherwise := readBox(nextFile(path))
	switch {
	case otherwise == nil && next.opensAll(stored):
		r.promote()
		return next, nil
	case otherwise != nil && !errors.Is(otherwise, fs.ErrNotExist):
		r.deps.Log.Error("the next key-encrypting key cannot be used", "error", otherwise)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return box{}, fmt.Errorf("key-encrypting key: %s is missing, and the database holds keys sealed under it; restore the file from its backup", path)
	}
	return b, err // which keys it does not open is told when they are opened
}

// promote puts the next key-encrypting key in its place. Until that succeeds the
// server starts from where it lies.
func (r *Ring) promote() {
	path := r.deps.KEKFile
	if err := errors.Join(os.Rename(nextFile(path), path), syncFolder(path)); err != nil {
		r.deps.Log.Error("the new key-encrypting key is in use and could not be moved; move it", "from", nextFile(path), "to", path, "error", err)
	}
}

func readBox(path string) (box, error) {
	key, err := readKEK(path)
	if err != nil {
		return box{}, err
	}
	return newBox(key)
}

// makeBox makes the key-encrypting key unless another process was first.
func makeBox(path string) (box, error) {
	if err := createKEK(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return box{}, fmt.Errorf("key-encrypting key: %w", err)
	}
	return readBox(path)
}

// readKEK reads 32 bytes as hex or base64; a file that others may read is refused.
func readKEK(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key-encrypting key: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key-encrypting key: %s may be read by others; set its mode to 0600", path)
	}
	word := strings.TrimSpace(string(text))
	if key, err := hex.DecodeString(word); err == nil && len(key) == kekSize {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(word); err == nil && len(key) == kekSize {
		return key, nil
	}
	return nil, fmt.Errorf("key-encrypting key: %s does not hold 32 bytes as hex or base64", path)
}

// createKEK makes the file whole or not at all: it is written beside its place, on
// disk, and linked there, which fails when another process was first.
func createKEK(path string) error {
	key := make([]byte, kekSize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(path)
}

// syncFolder makes a name in the folder of a file last.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// box seals small secrets under the key-encrypting key.
type box struct{ aead cipher.AEAD }

func newBox(kek []byte) (box, error) {
	if len(kek) != kekSize {
		return box{}, errors.New("keys: the key-encrypting key has the wrong size")
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return box{}, err
	}
	aead, err := cipher.NewGCM(block)
	return box{aead}, err
}

// seal binds the secret to its name.
func (b box) seal(name string, secret []byte) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return b.aead.Seal(nonce, nonce, secret, []byte(name)), nil
}

// errSealed: the key-encrypting key is another one, or the database was changed.
var errSealed = errors.New("it cannot be opened with this key-encrypting key")

func (b box) open(name string, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, errSealed
	}
	secret, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

// opensAll reports whether all keys are sealed under this key-encrypting key.
func (b box) opensAll(stored []store.SigningKey) bool {
	for _, k := range stored {
		if _, err := b.open(sealName(k.ID, k.Use, k.Algorithm), k.Sealed); err != nil {
			return false
		}
	}
	return true
}
