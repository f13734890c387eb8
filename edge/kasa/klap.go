package kasa

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	klapPort      = 80
	seedLen       = 16
	handshake1Len = seedLen + sha256.Size // bytes in the answer to handshake1
	sessionID     = "TP_SESSIONID"
)

var errSessionEnded = errors.New("the plug has ended the session")

// klap is a client for a plug over HTTP, encrypted after the KLAP handshake.
type klap struct {
	cfg     Config
	base    string
	http    *http.Client
	session *session
	version int
	cookie  *http.Cookie
	expires time.Time
}

func newKLAP(cfg Config) *klap {
	addr := net.JoinHostPort(cfg.Host, strconv.Itoa(cmp.Or(cfg.KLAPPort, klapPort)))
	return &klap{cfg: cfg, base: "http://" + addr + "/app/", http: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// credentials returns user names and passwords in the order in which they are tried: the
// account's, and the defaults of plugs that were never bound to an account.
func (k *klap) credentials() [][2]string {
	return [][2]string{
		{k.cfg.Username, k.cfg.Password.Reveal()},
		{"kasa@tp-link.net", "kasaSetup"},
		{"test@tp-link.net", "test"},
		{"", ""},
	}
}

// authHash returns the hash of the credentials, which both sides know.
func authHash(version int, user, password string) []byte {
	if version == 1 {
		u, p := md5.Sum([]byte(user)), md5.Sum([]byte(password))
		h := md5.Sum(append(u[:], p[:]...))
		return h[:]
	}
	u, p := sha1.Sum([]byte(user)), sha1.Sum([]byte(password))
	return hash(u[:], p[:])
}

// proofs returns the hashes by which the plug (in handshake1) and the client (in
// handshake2) prove that they know auth.
func proofs(version int, local, remote, auth []byte) (theirs, ours []byte) {
	if version == 1 {
		return hash(local, auth), hash(remote, auth)
	}
	return hash(local, remote, auth), hash(remote, local, auth)
}

func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// connect starts a session if there is none, and returns the version of its handshake.
func (k *klap) connect(ctx context.Context) (version int, err error) {
	if k.session != nil && time.Now().Before(k.expires) {
		return k.version, nil
	}
	k.session = nil
	local := make([]byte, seedLen)
	rand.Read(local)
	body, resp, err := k.post(ctx, "handshake1", nil, local)
	if err != nil {
		return 0, fmt.Errorf("KLAP: check the address and that the plug is on the network: %w", err)
	}
	if len(body) != handshake1Len {
		return 0, fmt.Errorf("KLAP: a handshake of %d bytes, not %d: the plug uses another protocol", len(body), handshake1Len)
	}
	remote, proof := body[:seedLen], body[seedLen:]
	version, auth := k.findCredentials(local, remote, proof)
	if version == 0 {
		return 0, fmt.Errorf("KLAP: %w", errCredentials)
	}
	k.keepCookie(resp)
	_, ours := proofs(version, local, remote, auth)
	if _, _, err := k.post(ctx, "handshake2", k.cookie, ours); err != nil {
		return 0, fmt.Errorf("KLAP: handshake2: %w", err)
	}
	k.session, k.version = newSession(local, remote, auth), version
	return version, nil
}

// findCredentials returns the version and the hash of the credentials that fit the
// plug's proof; version is 0 if none fit.
func (k *klap) findCredentials(local, remote, proof []byte) (version int, auth []byte) {
	for _, c := range k.credentials() {
		for _, version := range []int{2, 1} {
			auth := authHash(version, c[0], c[1])
			theirs, _ := proofs(version, local, remote, auth)
			if subtle.ConstantTimeCompare(theirs, proof) == 1 {
				return version, auth
			}
		}
	}
	return 0, nil
}

// keepCookie keeps the session's cookie and its expiry. Plugs send the lifetime as an
// attribute of the cookie: TP_SESSIONID=x;TIMEOUT=86400.
func (k *klap) keepCookie(resp *http.Response) {
	const margin = 20 * time.Minute
	life := 24 * time.Hour
	k.cookie = nil
	for _, c := range resp.Cookies() {
		if c.Name == sessionID {
			k.cookie = &http.Cookie{Name: c.Name, Value: c.Value}
		}
		for _, attr := range append(c.Unparsed, c.Name+"="+c.Value) {
			if v, ok := strings.CutPrefix(attr, "TIMEOUT="); ok {
				if n, err := strconv.Atoi(v); err == nil && n > 0 && n < 1e6 {
					life = time.Duration(n) * time.Second
				}
			}
		}
	}
	k.expires = time.Now().Add(max(life-margin, time.Minute))
}

// query sends a query. If the plug has ended the session, it starts a new one and sends
// the query again.
func (k *klap) query(ctx context.Context, query []byte) ([]byte, error) {
	for try := 1; ; try++ {
		if _, err := k.connect(ctx); err != nil {
			return nil, err
		}
		answer, err := k.send(ctx, query)
		if err != nil {
			k.session = nil
		}
		if !errors.Is(err, errSessionEnded) || try == 2 {
			return answer, err
		}
	}
}

// send encrypts a query, sends it and decrypts the answer.
func (k *klap) send(ctx context.Context, query []byte) ([]byte, error) {
	body, seq := k.session.seal(query)
	answer, _, err := k.post(ctx, "request?seq="+strconv.Itoa(int(seq)), k.cookie, body)
	if err != nil {
		return nil, fmt.Errorf("KLAP: %w", err)
	}
	plain, err := k.session.open(answer, seq)
	if err != nil {
		return nil, fmt.Errorf("KLAP: %w", err)
	}
	return plain, nil
}

func (k *klap) post(ctx context.Context, path string, cookie *http.Cookie, body []byte) ([]byte, *http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if cookie != nil {
		req.AddCookie(cookie)
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode == http.StatusForbidden:
		return nil, nil, errSessionEnded
	case resp.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("the plug returned HTTP status %d", resp.StatusCode)
	case err != nil:
		return nil, nil, err
	}
	return answer, resp, nil
}
