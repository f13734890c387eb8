package page

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// shot is a picture of the page.
type shot struct {
	name          string
	width, height int
	dark          bool
	query         string
	prepare       string // script
	ready         string // what is true when the page is to be taken; "": at once
}

// TestScreenshots writes pictures of the page of a sample house into the folder
// HEARTH_SCREENSHOTS: make screenshots.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("HEARTH_SCREENSHOTS")
	if dir == "" {
		t.Skip("HEARTH_SCREENSHOTS is not set: make screenshots")
	}
	afternoon := time.Date(2026, 11, 27, 22, 7, 0, 0, time.UTC) // 14:07 in the house
	full := serveAt(t, afternoon, pagetest.Full)
	full.take(t, dir,
		shot{name: "page", width: 1920, height: 1080}, shot{name: "page-dark", width: 1920, height: 1080, dark: true},
		shot{name: "tablet", width: 1280, height: 800}, shot{name: "tablet-dark", width: 1280, height: 800, dark: true}, shot{name: "small", width: 1024, height: 768},
		shot{name: "phone", width: 390, height: 844}, shot{name: "phone-dark", width: 390, height: 844, dark: true},
		shot{name: "kiosk", width: 1920, height: 1080, query: "?kiosk"}, shot{name: "kiosk-small", width: 1280, height: 800, query: "?kiosk"}, shot{name: "night", width: 1280, height: 800, query: "?kiosk", prepare: "isNight = () => true; kioskMinute()"},
		shot{name: "guest", width: 1280, height: 800, query: "?view=guest"}, shot{name: "past", width: 1280, height: 800, query: "?at=2026-11-27T12:00:00Z"})
	full.moved.Add(int64(3 * time.Hour))
	full.take(t, dir, shot{name: "stale", width: 1280, height: 800, ready: `document.querySelector(".stale")`})
	full.moved.Add(-int64(3 * time.Hour))
	full.take(t, dir, shot{name: "gone", width: 1280, height: 800, prepare: "live.seen -= 300000; live.busy = true; gone(true)"})
	serveAt(t, afternoon, pagetest.Calm).take(t, dir, shot{name: "well", width: 1280, height: 800})
	serveAt(t, afternoon, func(*pagetest.House) {}).take(t, dir, shot{name: "first-day", width: 1280, height: 800})
}

func (s *served) take(t *testing.T, dir string, shots ...shot) {
	t.Helper()
	b := browser.Start(t, s.address, 1280, 800)
	b.Do("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil)
	for _, shot := range shots {
		b.Dark(shot.dark)
		b.Resize(shot.width, shot.height)
		b.Go(s.address + shot.query)
		if shot.prepare != "" {
			b.Eval(shot.prepare + "; 1")
		}
		if shot.ready != "" {
			b.Until("!!" + shot.ready)
		}
		b.Eval("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))).then(() => { window.drawn = true; }); 1")
		b.Until("window.drawn === true")
		b.Screenshot(filepath.Join(dir, shot.name+".png"), shot.width < 500)
	}
}
