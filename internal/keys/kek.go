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
	"strings"
)

// kekSize is the size of a key-encrypting key, in bytes.
const kekSize = 32

// LoadKEK reads the key-encrypting key, 32 bytes as hex or base64; a file that
// others may read is refused. A missing file is created with mode 0600 if mayMake
// says that nothing is sealed yet: a new key would open nothing of what is.
func LoadKEK(path string, mayMake bool) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mayMake:
		return createKEK(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("key-encrypting key: %s is missing, and the database holds keys sealed under it; restore the file from its backup", path)
	}
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

func createKEK(path string) ([]byte, error) {
	key := make([]byte, kekSize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was first
		return LoadKEK(path, false)
	}
	if err != nil {
		return nil, fmt.Errorf("key-encrypting key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("key-encrypting key: %w", err)
	}
	return key, nil
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
