package glance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rsc.io/qr"

	"github.com/hearth-home/hearth/shared/page/texts"
)

// wifi draws the QR code with which a guest's telephone joins the Wi-Fi for guests. It is the
// only secret that the page shows, and it is there to be shown: so it passes no redactor. It is
// read only in the view for guests.
func wifi(_ context.Context, w *world) (*Tile, error) {
	if w.wifi == nil {
		return nil, nil
	}
	text := strings.TrimSpace(w.wifi())
	if text == "" {
		return nil, nil
	}
	name, text, err := wifiText(text)
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, errors.New("the secret guest-wifi is too long for a QR code") // not err: it may quote the text
	}
	return &Tile{Body: draw("wifi", struct {
		Name, Label string
		Size        int
		Path        string
	}{name, texts.Say("wifi.label", name), code.Size + 2*quiet, squares(code)})}, nil
}

// quiet is the width of the light border that readers of QR codes need.
const quiet = 4

// squares returns the dark squares of a code as the d of an SVG path, each run of a row as one.
func squares(c *qr.Code) string {
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for c.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, n, n)
				x += n
			}
		}
	}
	return b.String()
}

// wifiText returns the name of the network, and the text that telephones understand:
// WIFI:T:WPA;S:name;P:password;;. The secret has that text, or name;password; without a password
// the network is open. An error never quotes it.
func wifiText(secret string) (name, text string, err error) {
	if rest, ok := strings.CutPrefix(secret, "WIFI:"); ok {
		for _, part := range fields(rest) {
			if v, ok := strings.CutPrefix(part, "S:"); ok && v != "" {
				return unescape(v), secret, nil
			}
		}
		return "", "", errors.New("the secret guest-wifi has no name of a network: write WIFI:T:WPA;S:name;P:password;;")
	}
	name, password, _ := strings.Cut(secret, ";")
	name, password = strings.TrimSpace(name), strings.TrimSpace(password)
	switch {
	case name == "" || strings.ContainsAny(secret, "\r\n"):
		return "", "", errors.New("the secret guest-wifi is not name;password")
	case password == "":
		return name, "WIFI:T:nopass;S:" + escapeWifi.Replace(name) + ";;", nil
	}
	return name, "WIFI:T:WPA;S:" + escapeWifi.Replace(name) + ";P:" + escapeWifi.Replace(password) + ";;", nil
}

var escapeWifi = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `:`, `\:`, `"`, `\"`)

// fields divides a text at semicolons that have no backslash before them.
func fields(s string) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ';':
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[min(from, len(s)):])
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
