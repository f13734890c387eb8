package kasa

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const sysinfoQuery = `{"system":{"get_sysinfo":{}}}`

func TestTheLegacyFrameMatchesRealPlugs(t *testing.T) {
	want := unhex(t, "0000001d d0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6")
	got := frame([]byte(sysinfoQuery))
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
	if text, err := readFrame(bytes.NewReader(want)); err != nil || string(text) != sysinfoQuery {
		t.Errorf("got %q, %v", text, err)
	}
	if n := len(iotQuery); n != 0x3A {
		t.Errorf("the query for both has %d bytes, want 58", n)
	}
}

func TestALongAnswerIsRefused(t *testing.T) {
	if _, err := readFrame(bytes.NewReader([]byte{0x48, 0x54, 0x54, 0x50})); err == nil || !strings.Contains(err.Error(), "not a Kasa plug") {
		t.Errorf("err = %v", err)
	}
}

// The vectors were made with python-kasa: local seed 00 to 0f, remote seed 10 to
// 1f, user@example.com with the password "secret", the sysinfo query.
func TestKLAPMatchesTheTestVectors(t *testing.T) {
	local, remote := make([]byte, 16), make([]byte, 16)
	for i := range local {
		local[i], remote[i] = byte(i), byte(16+i)
	}
	for _, tt := range []struct {
		version              int
		auth, hs1, hs2, body string
		seq                  int32
	}{
		{
			1, "9d6ce791ce44316e9e52fc1bc9d36496",
			"c2d456076f946c707000874d2e226a1c09e89a21e459272b8ec0f01cdaf774cf",
			"50ef3325d42cd7c999aa9e47e8cb0f8a7f6f239f1d51b39d46d581a4bb75c8c5",
			"c96f0b774642c44a6c9b1ddc66d940fd1ef589b5839f50918b910bc99cce62a9" +
				"d938d48d944c90ce1725e9a8ea0af3a37e8b6039e6189a3a497bf0b9b03700d8",
			-59551827,
		},
		{
			2, "b039216532fc844e9ae0cc8fe3ea911c9ba09c641bb96a3e1f776d93f7b5ae9b",
			"8ed3b905e654fbee23900d0244156a33029c025b71b03bfcc601eff33aaebb70",
			"1e590e7a4dc128da48ed17e06fe23ddb6ec646bb6da2eb00708d590f194201d7",
			"ee33583262ebfd6b6977db181b8ba22a26f04b66d42c628224c0a40961942c64" +
				"b2ea7862e52efd2186b9d6c73afb86a8b9821180993deb7e55bf8d03b44290d9",
			-903964343,
		},
	} {
		auth := authHash(tt.version, "user@example.com", "secret")
		theirs, ours := proofs(tt.version, local, remote, auth)
		s := newSession(local, remote, auth)
		body, seq := s.seal([]byte(sysinfoQuery))
		for name, pair := range map[string][2]string{
			"auth": {hex.EncodeToString(auth), tt.auth},
			"hs1":  {hex.EncodeToString(theirs), tt.hs1},
			"hs2":  {hex.EncodeToString(ours), tt.hs2},
			"body": {hex.EncodeToString(body), tt.body},
		} {
			if pair[0] != pair[1] {
				t.Errorf("version %d, %s:\n got %s\nwant %s", tt.version, name, pair[0], pair[1])
			}
		}
		if seq != tt.seq {
			t.Errorf("version %d: seq %d, want %d", tt.version, seq, tt.seq)
		}
		if text, err := s.open(body, seq); err != nil || string(text) != sysinfoQuery {
			t.Errorf("version %d: opened %q, %v", tt.version, text, err)
		}
	}
}

// FuzzLegacyFrame checks that no bytes crash the reader, and that it reads frames back.
func FuzzLegacyFrame(f *testing.F) {
	f.Add(frame([]byte(sysinfoQuery)))
	f.Add([]byte{0, 0, 0, 4, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		readFrame(bytes.NewReader(b))
		if got, err := readFrame(bytes.NewReader(frame(b))); err != nil || !bytes.Equal(got, b) {
			t.Errorf("% x came back as % x, %v", b, got, err)
		}
	})
}

// FuzzAnswers checks that no answer crashes the parsers of the old and the new commands.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"system":{"get_sysinfo":{"model":"x","children":[{"id":"00"}]}},"emeter":{"get_realtime":{"power_mw":1}}}`))
	f.Add([]byte(`{"error_code":0,"result":{"responseData":{"result":{"power_mw":1}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parseIOT(b); err == nil {
			a.Emeter.Realtime.values()
		}
		var m meter
		for _, child := range []bool{false, true} {
			if ok, err := parseSmart(b, child, &m); err == nil && ok {
				m.values()
			}
		}
	})
}

// FuzzOpen checks that no answer crashes the decryption, and that it decrypts what was
// encrypted.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(sysinfoQuery))
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSession(make([]byte, 16), make([]byte, 16), make([]byte, 32))
		s.open(b, 1)
		body, seq := s.seal(b)
		if got, err := s.open(body, seq); err != nil || !bytes.Equal(got, b) {
			t.Errorf("% x came back as % x, %v", b, got, err)
		}
	})
}

// FuzzCookie checks that no cookie of a plug makes a session last too long or end in the past.
func FuzzCookie(f *testing.F) {
	f.Add("TP_SESSIONID=x;TIMEOUT=86400")
	f.Add("TIMEOUT=9; TP_SESSIONID")
	f.Fuzz(func(t *testing.T, text string) {
		var k klap
		k.keepCookie(&http.Response{Header: http.Header{"Set-Cookie": {text}}})
		if left := time.Until(k.expires); left <= 0 || left > 12*24*time.Hour || k.cookie != nil && k.cookie.Name != sessionID {
			t.Errorf("%q: the session %v ends in %v", text, k.cookie, left)
		}
	})
}
