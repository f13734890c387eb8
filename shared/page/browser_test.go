package page

import (
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/testserver/browser"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// served is a page that a browser looks at. Its clock is the real one, moved.
type served struct {
	*pagetest.House
	address string
	page    *Page
	moved   atomic.Int64
	down    atomic.Bool // it answers nothing
}

func (s *served) now() time.Time { return time.Now().Add(time.Duration(s.moved.Load())) } // clock: the browser's is the real one

// serve serves the page of a house that fill fills.
func serve(t *testing.T, fill func(*pagetest.House)) *served {
	t.Helper()
	return serveAt(t, time.Now(), fill) // clock: the browser's is the real one
}

// serveAt is serve with a clock that begins at now.
func serveAt(t *testing.T, now time.Time, fill func(*pagetest.House)) *served {
	t.Helper()
	return serveAs(t, pagetest.Yml, now, fill)
}

// serveAs is serveAt with another hearth.yml.
func serveAs(t *testing.T, yml string, now time.Time, fill func(*pagetest.House)) *served {
	t.Helper()
	s := &served{House: pagetest.New(t, now)}
	s.moved.Store(int64(time.Until(now))) // clock: the page's runs on
	fill(s.House)
	same := func(s string) string { return s }
	file := settings.Parse([]byte(yml))
	lists := &status.Page{Inputs: status.Inputs{Open: s.Open, Now: s.now, Redact: same, RedactCut: same, Zone: func() string { return string(file.House.Zone) }}}
	s.page = &Page{Status: lists, Every: 100 * time.Millisecond, Glance: glance.New(glance.Inputs{
		Open: s.Open, Now: s.now, Redact: same, Settings: func() *settings.File { return file }, Declared: func() []catalogue.Measurement { return nil },
		Status: func(ctx context.Context) (status.Data, bool) { return lists.Brief(ctx), true }, Alerts: lists.AlertsAt,
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		s.page.ServeHTTP(w, r)
	})}}
	srv.Start()
	t.Cleanup(srv.Close)
	s.address = srv.URL + "/"
	return s
}

// open opens the page with a query. A kiosk is shown as by day.
func (s *served) open(b *browser.Browser, query string) {
	b.Go(s.address + query)
	b.Eval("kiosk.awake = Infinity; if (document.body.classList.contains('kiosk')) kioskMinute(); 1")
}

// tiles are those that the full house has.
var tiles = []string{"weather", "today", "air", "rooms", "power", "house", "computers", "stocks", "curve", "github", "news"}

// widths are the windows in which the page is looked at, and the tiles that are seen there
// without scrolling.
var widths = []struct {
	width, height int
	seen          string
}{
	{390, 844, ""}, {768, 1024, ""}, {1024, 768, "weather today air rooms power"}, {1280, 800, "weather today air rooms power"},
	{1920, 1080, "weather today air rooms power house stocks curve"},
}

func TestInABrowserEachTileIsDrawnAndFits(t *testing.T) {
	s := serve(t, pagetest.Full)
	b := browser.Start(t, s.address, 1920, 1080)
	for _, tile := range tiles {
		if b.Eval(fmt.Sprintf(`document.querySelector("#tile-%s")?.innerText.trim().split(/\s+/).length > 3`, tile)) != "true" {
			t.Errorf("%s is not drawn: %s", tile, b.Eval(fmt.Sprintf(`String(document.querySelector("#tile-%s")?.innerText)`, tile)))
		}
	}
	if title := b.Eval("document.title"); !strings.HasPrefix(title, "(") || b.Eval("document.querySelector('link[rel=icon]').href.startsWith('data:image/svg')") != "true" {
		t.Errorf("the tab does not say that something needs a person: %s", title)
	}
	for _, w := range widths {
		b.Resize(w.width, w.height)
		for _, query := range []string{"", "?kiosk"} {
			if query != "" && w.width < 1000 {
				continue
			}
			s.open(b, query)
			if wide := b.Eval(overflowing); wide != "" {
				t.Errorf("at %d pixels %s is wider than its place: %s", w.width, query, wide)
			}
			below := b.Eval(fmt.Sprintf(`%q.split(" ").map((kind) => document.getElementById("tile-" + kind)).filter((c) => c?.getBoundingClientRect().bottom > innerHeight + 1).map((c) => c.id + " ends at " + c.getBoundingClientRect().bottom).join()`, w.seen))
			if below != "" {
				t.Errorf("at %d by %d pixels %s is below the fold: %s", w.width, w.height, query, below)
			}
		}
	}
	for _, w := range widths {
		b.Resize(w.width, w.height)
		for _, query := range []string{"", "?kiosk"} {
			if query != "" && w.width < 1000 { // a wall tablet is wider; below, 20 pixels are too much for all to fit
				continue
			}
			s.open(b, query)
			b.Eval("requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = true; })); 1")
			b.Until("window.drawn === true")
			if cut := b.Eval(crowded); cut != "" {
				t.Errorf("at %d pixels %s: %s", w.width, query, cut)
			}
		}
	}
	b.Resize(1920, 1080)
	s.open(b, "?kiosk")
	if small := b.Eval(`[...document.querySelectorAll("body *")].filter((n) => n.checkVisibility() && [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim()))
		.filter((n) => parseFloat(getComputedStyle(n).fontSize) * (n instanceof SVGElement ? n.getScreenCTM().a : 1) < 19.9).map((n) => n.textContent.trim()).join("|")`); small != "" {
		t.Errorf("smaller than 20 pixels in a kiosk: %s", small)
	}
	clean(t, b)
}

// overflowing lists what is wider than the window or its tile.
const overflowing = `[
  document.documentElement.scrollWidth > document.documentElement.clientWidth ? "the page: " + document.documentElement.scrollWidth : "",
  ...[...document.querySelectorAll(".tile, #verdict, header, footer")].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => (e.id || e.tagName) + " " + e.scrollWidth + ">" + e.clientWidth),
].filter(Boolean).join(", ")`

// crowded lists visible texts that stand over one another, or beyond the right edge of their
// tile without dots that say so.
const crowded = `(() => {
  const out = [];
  for (const tile of document.querySelectorAll(".tile, #verdict, header, footer")) {
    const edge = tile.getBoundingClientRect().right + 1, seen = [];
    const texts = document.createTreeWalker(tile, NodeFilter.SHOW_TEXT);
    for (let node; (node = texts.nextNode()); ) {
      const of = node.parentElement, text = node.data.trim();
      if (!text || of.closest("[inert], dialog") || !of.checkVisibility({ visibilityProperty: true }) || of.getBoundingClientRect().width <= 1 || getComputedStyle(of).clipPath !== "none") continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      let clip = { left: -1e6, right: 1e6, top: -1e6, bottom: 1e6 }, dots = false;
      for (let e = of; e !== tile.parentElement; e = e.parentElement) {
        const style = getComputedStyle(e);
        dots ||= style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
        if (style.overflowX === "visible" || e instanceof SVGElement) continue;
        const r = e.getBoundingClientRect();
        clip = { left: Math.max(clip.left, r.left), right: Math.min(clip.right, r.right), top: Math.max(clip.top, r.top), bottom: Math.min(clip.bottom, r.bottom) };
      }
      for (const r of range.getClientRects()) {
        if (!dots && r.top < clip.bottom && r.bottom > clip.top && r.left < clip.right && r.right > Math.min(edge, clip.right + 2)) out.push((tile.id || tile.tagName) + ": " + text + " is cut");
        if (tile.matches(".tile") && r.left < clip.right && r.top < clip.bottom && r.top + r.height * 0.8 > clip.bottom + 1) out.push((tile.id || tile.tagName) + ": only the upper half of " + text + " is seen");
        const box = { left: Math.max(r.left, clip.left) + 1, right: Math.min(r.right, clip.right) - 1, top: Math.max(r.top, clip.top) + r.height / 4, bottom: Math.min(r.bottom, clip.bottom) - r.height / 4, text, node };
        if (box.left >= box.right || box.top >= box.bottom) continue;
        for (const o of seen) if (o.node !== node && box.left < o.right && o.left < box.right && box.top < o.bottom && o.top < box.bottom) out.push((tile.id || tile.tagName) + ": " + text + " over " + o.text);
        seen.push(box);
      }
    }
  }
  return [...new Set(out)].join("\n");
})()`

// clean fails the test if there was an error in the console, or a request that left the host.
func clean(t *testing.T, b *browser.Browser) {
	t.Helper()
	if len(b.Errors) != 0 {
		t.Errorf("errors in the console: %s", b.Errors)
	}
	for _, u := range b.URLs {
		if !strings.HasPrefix(u, "http://127.0.0.1:") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
			t.Errorf("the page requested %s", u)
		}
	}
}

func TestTheManifestAndItsIconsAreServed(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	get := func(query string) *httptest.ResponseRecorder {
		t.Helper()
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/"+query, nil))
		if w.Code != 200 {
			t.Errorf("%s: %d", query, w.Code)
		}
		return w
	}
	var manifest struct {
		StartURL string `json:"start_url"`
		Icons    []struct{ Src, Sizes, Type string }
	}
	if err := json.Unmarshal(get("?asset=manifest.webmanifest").Body.Bytes(), &manifest); err != nil || len(manifest.Icons) != 3 || manifest.StartURL != "?" {
		t.Errorf("%+v, %v", manifest, err)
	}
	for _, icon := range manifest.Icons {
		w := get(icon.Src)
		c, err := png.DecodeConfig(w.Body)
		if size := fmt.Sprintf("%dx%d", c.Width, c.Height); err != nil || size != icon.Sizes || w.Header().Get("Content-Type") != icon.Type {
			t.Errorf("%s is %s, %v", icon.Src, size, err)
		}
	}
	if c, err := png.DecodeConfig(get("?asset=apple-touch-icon.png").Body); err != nil || c.Width != 180 {
		t.Error(c, err)
	}
}

func TestInABrowserTheAuditOfAccessibilityFindsNothingSerious(t *testing.T) {
	axe, err := os.ReadFile("../../tools/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		tool.Missing(t, "axe-core is not installed: npm ci --prefix tools/axe")
	}
	s := serve(t, pagetest.Full)
	b := browser.Start(t, s.address, 1280, 800)
	for _, look := range []struct {
		query  string
		dark   bool
		width  int
		script string
	}{{"", false, 1280, ""}, {"", true, 1280, ""}, {"?kiosk", true, 1280, ""}, {"?kiosk", false, 1280, "isNight = () => true; kiosk.awake = 0; kioskMinute()"}, {"", false, 390, ""}} {
		b.Dark(look.dark)
		b.Resize(look.width, 800)
		s.open(b, look.query)
		b.Eval(look.script + "; 1")
		b.Eval(string(axe) + `; window.found = null; axe.run(document, { resultTypes: ["violations"] }).then((r) => {
			window.found = r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id + ": " + v.nodes.map((n) => n.target + " " + n.failureSummary).join(" | ")).join("\n");
		}); 1`)
		b.Until("window.found !== null")
		if found := b.Eval("window.found"); found != "" {
			t.Errorf("%+v: %s", look, found)
		}
	}
}
