package page

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// browser is a Chromium that the test controls over a pipe.
// https://chromedevtools.github.io/devtools-protocol
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	id      int
	errors  []string // messages of errors in its console
}

func startBrowser(t *testing.T, address string, width int) *browser {
	t.Helper()
	path := tool.Needed(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "hearth-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // unlike t.TempDir it may fail: a dying process of the browser may still write
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--remote-debugging-pipe", "--user-data-dir="+filepath.Join(dir, "user"), "about:blank")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.ExtraFiles = []*os.File{in, out}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with its children
		cmd.Wait()
		to.Close()
		from.Close()
	})
	if err := from.SetReadDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	var made struct{ TargetID string }
	b.do("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	var attached struct{ SessionID string }
	b.do("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.do("Runtime.enable", nil, nil)
	b.do("Log.enable", nil, nil)
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.do("Page.navigate", map[string]any{"url": address}, nil)
	b.until("location.protocol === 'http:' && document.readyState === 'complete'") // not the blank page before it
	return b
}

// do sends one command and waits for its answer.
func (b *browser) do(method string, params, into any) {
	b.t.Helper()
	b.id++
	message, err := json.Marshal(map[string]any{"id": b.id, "method": method, "params": params, "sessionId": b.session})
	if b.session == "" {
		message, err = json.Marshal(map[string]any{"id": b.id, "method": method, "params": params})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(message, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		raw, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var got struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(raw[:len(raw)-1], &got); err != nil {
			b.t.Fatal(err)
		}
		if got.Method == "Runtime.exceptionThrown" || got.Method == "Log.entryAdded" {
			b.errors = append(b.errors, string(got.Params))
		}
		if got.ID != b.id {
			continue
		}
		if got.Error != nil {
			b.t.Fatalf("%s: %s", method, got.Error)
		}
		if into != nil {
			if err := json.Unmarshal(got.Result, into); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// eval returns the value of an expression, as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return fmt.Sprint(got.Result.Value)
}

func (b *browser) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); b.eval(expression) != "true"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never true: %s\n%s", expression, b.eval("document.body.innerText"))
		}
	}
}

func TestInABrowserThePageFollowsWithoutDisturbing(t *testing.T) {
	h := fixtureAt(t, time.Now()) // clock: the browser's is the real one
	many := []store.DeviceState{state("temperature_celsius", 21)}
	for i := range 9 {
		many = append(many, state(fmt.Sprintf("m%d", i), float64(i)))
	}
	h.device("edge", "Desk", "Office", many...)
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{h.letter(0, "sensors", "tele/"+strings.Repeat("long", 60), "no mapping for topic "+strings.Repeat("long", 60), strings.Repeat("z", 300))}}))
	friday := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for friday.Before(time.Now().AddDate(0, 0, -8)) { // clock: the page shows yields of the last month
		friday = friday.AddDate(0, 0, 7)
	}
	h.ok(h.st.Write(t.Context(), []reading.Reading{{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Fields: map[string]float64{"yield_percent": 4}, Time: friday}}))
	p := h.page()
	p.Now = time.Now // clock: the browser's
	zone := atomic.Value{}
	zone.Store("Asia/Tokyo")
	p.Zone = func() string { return zone.Load().(string) }
	b := startBrowser(t, listen(t, p).URL+"/", 400)
	if b.eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth") != "true" {
		t.Errorf("at 400 pixels the page is %s wide", b.eval("document.documentElement.scrollWidth"))
	}
	b.eval(`document.getElementById("m-desk").open = true; window.tile = document.getElementById("d-desk"); window.kept = document.getElementById("functions"); 1`)
	now := time.Now() // clock: the browser's
	change := state("temperature_celsius", 22.5)
	change.Device, change.Quality, change.Time, change.Arrived, change.Changed = "desk", "ok", now, now, now
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: []store.DeviceState{change}}))
	b.until(`document.querySelector("#d-desk .main b").textContent === "22.5"`)
	for what, expression := range map[string]string{
		"the tile is another element":  `window.tile === document.getElementById("d-desk")`,
		"what was folded open closed":  `document.getElementById("m-desk").open`,
		"a section without news moved": `window.kept === document.getElementById("functions")`,
		"the change is not marked":     `document.querySelector("#d-desk .main .value").classList.contains("fresh")`,
		"ages are not counted":         `/^(just now|\d+ s ago)$/.test(document.querySelector("#d-desk .ago").textContent)`,
	} {
		if b.eval(expression) != "true" {
			t.Error(what)
		}
	}
	for _, name := range []string{"Asia/Tokyo", "America/New_York"} {
		zone.Store(name)
		b.until(fmt.Sprintf(`document.getElementById("about").textContent.includes(%q)`, name))
		if day := b.eval(`document.querySelector("time.day").textContent + document.querySelector("time.day").title`); day != friday.Format(time.DateOnly) {
			t.Errorf("the yield of %s is dated %s in %s", friday.Format(time.DateOnly), day, name)
		}
		b.until(fmt.Sprintf(`[...document.querySelectorAll("time.ago")].every((t) => t.title === new Date(t.dateTime).toLocaleString(undefined, { timeZone: %q }))`, name))
	}
	h.device("edge", "Shelf", "Attic", state("temperature_celsius", 19))
	h.device("edge", "Lamp", "Office", state("on", 1))
	b.until(`[...document.querySelectorAll(".tile h4")].map((e) => e.textContent.trim()).join() === "Shelf,Desk,Lamp"`)
	if b.eval(`document.getElementById("m-desk").open`) != "true" {
		t.Error("what was folded open closed when devices came")
	}
	dead := h.letter(0, "sensors", "x", "y", "z")
	dead.Reason, dead.Gone, dead.Reported = "no mapping for topic "+strings.Repeat("long", 60), true, now
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{dead}}))
	b.until(`document.getElementById("dead").hidden`)
	if len(b.errors) != 0 {
		t.Errorf("errors in its console: %s", b.errors)
	}
}
