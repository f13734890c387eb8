package kasa

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// session encrypts queries and decrypts answers after a KLAP handshake.
type session struct {
	block cipher.Block
	iv    []byte // 12 bytes; the query's number is appended to make 16
	sig   []byte
	seq   int32
}

var errAnswer = errors.New("the answer cannot be decrypted")

func newSession(local, remote, auth []byte) *session {
	derive := func(label string) []byte { return hash([]byte(label), local, remote, auth) }
	block, err := aes.NewCipher(derive("lsk")[:16])
	if err != nil {
		panic(err) // 16 bytes are always a valid key
	}
	iv := derive("iv")
	return &session{
		block: block, iv: iv[:12], sig: derive("ldk")[:28],
		seq: int32(binary.BigEndian.Uint32(iv[28:])),
	}
}

// seal encrypts and signs the next query. The number seq belongs into the request's URL.
func (s *session) seal(plain []byte) (body []byte, seq int32) {
	s.seq++
	seqBytes := binary.BigEndian.AppendUint32(nil, uint32(s.seq))
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	text := append([]byte(nil), plain...)
	for range pad {
		text = append(text, byte(pad))
	}
	cipher.NewCBCEncrypter(s.block, append(append([]byte(nil), s.iv...), seqBytes...)).CryptBlocks(text, text)
	return append(hash(s.sig, seqBytes, text), text...), s.seq
}

// open decrypts the answer to query number seq and checks its padding.
func (s *session) open(body []byte, seq int32) ([]byte, error) {
	if len(body) < sha256.Size+aes.BlockSize || (len(body)-sha256.Size)%aes.BlockSize != 0 {
		return nil, errAnswer
	}
	text := append([]byte(nil), body[sha256.Size:]...)
	iv := binary.BigEndian.AppendUint32(append([]byte(nil), s.iv...), uint32(seq))
	cipher.NewCBCDecrypter(s.block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, errAnswer
	}
	for _, b := range text[len(text)-pad:] {
		if int(b) != pad {
			return nil, errAnswer
		}
	}
	return text[:len(text)-pad], nil
}
