package sim

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// KLAP configures a plug's KLAP server.
type KLAP struct {
	Version            int  // of the handshake, 1 or 2
	Smart              bool // supports the new commands only, otherwise the old ones only
	Username, Password string
}

type kasaSession struct {
	local, remote, auth []byte
	proved              bool // the client has proved that it knows the credentials
}

// ServeKLAP serves KLAP over HTTP on addr until ctx ends.
func (k *Kasa) ServeKLAP(ctx context.Context, addr string, config KLAP) (at string, done <-chan struct{}, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /app/handshake1", func(w http.ResponseWriter, r *http.Request) { k.handshake1(w, r, config) })
	mux.HandleFunc("POST /app/handshake2", func(w http.ResponseWriter, r *http.Request) { k.handshake2(w, r, config) })
	mux.HandleFunc("POST /app/request", func(w http.ResponseWriter, r *http.Request) { k.request(w, r, config) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		defer close(ended)
		defer stop()
		server.Serve(l) // ends when the server is closed
	}()
	return l.Addr().String(), ended, nil
}

// EndSessions ends every session, as a restart of the plug does.
func (k *Kasa) EndSessions() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.sessions)
}

func (h KLAP) auth() []byte {
	if h.Version == 1 {
		u, p := md5.Sum([]byte(h.Username)), md5.Sum([]byte(h.Password))
		a := md5.Sum(append(u[:], p[:]...))
		return a[:]
	}
	u, p := sha1.Sum([]byte(h.Username)), sha1.Sum([]byte(h.Password))
	return sha(u[:], p[:])
}

func sha(parts ...[]byte) []byte {
	s := sha256.Sum256(bytes.Join(parts, nil))
	return s[:]
}

func (k *Kasa) handshake1(w http.ResponseWriter, r *http.Request, config KLAP) {
	local, err := io.ReadAll(io.LimitReader(r.Body, 1024))
	if err != nil || len(local) != 16 {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id := fmt.Sprintf("S%032d", len(k.sessions)+int(time.Now().UnixNano()%1e9))
	s := &kasaSession{local: local, remote: sha([]byte(id))[:16], auth: config.auth()}
	k.sessions[id] = s
	w.Header().Set("Set-Cookie", "TP_SESSIONID="+id+";TIMEOUT=86400")
	proof := sha(local, s.auth)
	if config.Version == 2 {
		proof = sha(local, s.remote, s.auth)
	}
	w.Write(append(append([]byte(nil), s.remote...), proof...))
}

func (k *Kasa) handshake2(w http.ResponseWriter, r *http.Request, config KLAP) {
	s := k.sessionOf(r)
	proof, err := io.ReadAll(io.LimitReader(r.Body, 1024))
	if s == nil || err != nil {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	want := sha(s.remote, s.auth)
	if config.Version == 2 {
		want = sha(s.remote, s.local, s.auth)
	}
	if !bytes.Equal(proof, want) {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s.proved = true
}

func (k *Kasa) sessionOf(r *http.Request) *kasaSession {
	c, err := r.Cookie("TP_SESSIONID")
	if err != nil || len(r.Cookies()) != 1 { // other cookies are refused
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sessions[c.Value]
}

func (k *Kasa) request(w http.ResponseWriter, r *http.Request, config KLAP) {
	s, hit := k.sessionOf(r), k.nextFrame()
	body, err := io.ReadAll(io.LimitReader(r.Body, 8192))
	seq, serr := strconv.ParseInt(r.URL.Query().Get("seq"), 10, 32)
	if s == nil || !s.proved || err != nil || serr != nil || hit&NACK != 0 {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	if hit&Slow != 0 && k.clock.Wait(r.Context(), slowDelay) != nil {
		return
	}
	query, ok := s.open(body, int32(seq))
	if !ok {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	answer := k.iot(query, hit)
	if config.Smart {
		answer = k.smart(query, hit)
	}
	sealed := s.seal(answer, int32(seq))
	switch {
	case hit&Torn != 0:
		sealed = sealed[:len(sealed)-5]
	case hit&(Noise|BadCRC) != 0:
		sealed[len(sealed)-1] ^= 0x55
	}
	w.Write(sealed)
}

func (s *kasaSession) derive(label string) []byte {
	return sha([]byte(label), s.local, s.remote, s.auth)
}

func (s *kasaSession) cipher(seq int32) (block cipher.Block, iv []byte) {
	block, _ = aes.NewCipher(s.derive("lsk")[:16]) // 16 bytes are always a valid key
	return block, binary.BigEndian.AppendUint32(s.derive("iv")[:12:12], uint32(seq))
}

func (s *kasaSession) sign(text []byte, seq int32) []byte {
	return sha(s.derive("ldk")[:28], binary.BigEndian.AppendUint32(nil, uint32(seq)), text)
}

func (s *kasaSession) seal(plain []byte, seq int32) []byte {
	pad := 16 - len(plain)%16
	text := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, iv := s.cipher(seq)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return append(s.sign(text, seq), text...)
}

func (s *kasaSession) open(body []byte, seq int32) ([]byte, bool) {
	if len(body) < 48 || len(body)%16 != 0 || !bytes.Equal(body[:32], s.sign(body[32:], seq)) {
		return nil, false
	}
	text := bytes.Clone(body[32:])
	block, iv := s.cipher(seq)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad < 1 || pad > 16 {
		return nil, false
	}
	return text[:len(text)-pad], true
}
