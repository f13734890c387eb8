package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/shared/page/base"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/texts"
)

//go:embed static
var static embed.FS

// bundles are the files that are made of several, in this order.
var bundles = map[string][]string{
	"page.css":  {"base.css", "dialog.css", "rewind.css", "kiosk.css", "steps.css"},
	"page.js":   {"format.js", "live.js", "fit.js", "cut.js", "verdict.js", "plot.js", "history.js", "curve.js", "rewind.js", "kiosk.js", "steps.js", "devices.js", "device.js"},
	"login.css": {"login.css"},
}

// shared returns what begins a bundle, of a script with the texts that the rest of it uses.
func shared(bundle string, rest []byte) []byte {
	if strings.HasSuffix(bundle, ".js") {
		return slices.Concat(base.Script, texts.Script(rest))
	}
	return base.Colours
}

var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json",
}

// file is an asset. Its address names its hash, so that browsers keep it.
type file struct {
	kind          string
	hash          string
	plain, packed []byte
}

// assets are all files by name. An address is a query of the page's own: asset=page.css&v=HASH.
// A relative path would lead elsewhere where the page's address does not end with a slash.
var assets = sync.OnceValue(func() map[string]file {
	out := map[string]file{}
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // cannot happen: they are embedded
	}
	for _, e := range entries {
		out[e.Name()] = fileOf(e.Name(), read(e.Name()))
	}
	for name, parts := range bundles {
		var b bytes.Buffer
		for _, part := range parts {
			b.Write(read(part))
		}
		if name == "page.css" {
			b.Write(glance.Style())
		}
		out[name] = fileOf(name, slices.Concat(shared(name, b.Bytes()), b.Bytes()))
	}
	return out
})

func read(name string) []byte {
	b, err := static.ReadFile("static/" + name)
	if err != nil {
		panic(err) // cannot happen: they are embedded
	}
	return b
}

func fileOf(name string, b []byte) file {
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // a buffer takes all
	z.Write(b)
	z.Close()
	kind := "application/octet-stream"
	for ending, t := range types {
		if strings.HasSuffix(name, ending) {
			kind = t
		}
	}
	return file{kind, fmt.Sprintf("%x", sha256.Sum256(b))[:12], b, packed.Bytes()}
}

// assetURL returns the address of an asset, relative to the page.
func assetURL(name string) string { return "?asset=" + name + "&v=" + assets()[name].hash }

func asset(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := assets()[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	if r.URL.Query().Get("v") == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	b := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(f.packed) < len(f.plain) {
		h.Set("Content-Encoding", "gzip")
		b = f.packed
	}
	w.Write(b)
}
