// Package browser runs a real browser for tests of pages.
package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// Browser is a Chromium that a test controls over a pipe.
// https://chromedevtools.github.io/devtools-protocol
type Browser struct {
	t       testing.TB
	to      *os.File
	from    *bufio.Reader
	session string
	id      int
	Errors  []string // messages of errors in its console
	URLs    []string // addresses that it requested
}

// Start opens an address in a window of this size, in CSS pixels.
func Start(t testing.TB, address string, width, height int) *Browser {
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
	b := &Browser{t: t, to: to, from: bufio.NewReader(from)}
	var made struct{ TargetID string }
	b.Do("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	var attached struct{ SessionID string }
	b.Do("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.Do("Runtime.enable", nil, nil)
	b.Do("Log.enable", nil, nil)
	b.Do("Network.enable", nil, nil)
	b.Resize(width, height)
	b.Do("Page.navigate", map[string]any{"url": address}, nil)
	b.Until("location.protocol === 'http:' && document.readyState === 'complete'") // not the blank page before it
	return b
}

// Do sends one command and waits for its answer.
func (b *Browser) Do(method string, params, into any) {
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
			b.Errors = append(b.Errors, string(got.Params))
		}
		if got.Method == "Network.requestWillBeSent" {
			var sent struct{ Request struct{ URL string } }
			if json.Unmarshal(got.Params, &sent) == nil {
				b.URLs = append(b.URLs, sent.Request.URL)
			}
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

// Eval returns the value of an expression, as text.
func (b *Browser) Eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.Do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return fmt.Sprint(got.Result.Value)
}

// Until waits until an expression is true.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); b.Eval(expression) != "true"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never true: %s\n%s", expression, b.Eval("document.body.innerText"))
		}
	}
}

// Resize sets the size of the window, in CSS pixels.
func (b *Browser) Resize(width, height int) {
	b.t.Helper()
	b.Do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// Dark chooses the dark or the light colours.
func (b *Browser) Dark(yes bool) {
	b.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[yes]
	b.Do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// Go opens another address.
func (b *Browser) Go(address string) {
	b.t.Helper()
	b.Eval("window.left = true")
	b.Do("Page.navigate", map[string]any{"url": address}, nil)
	b.Until("!window.left && document.readyState === 'complete'")
}

// Screenshot writes what the window shows to a PNG file; all: the whole page.
func (b *Browser) Screenshot(path string, all bool) {
	b.t.Helper()
	var got struct{ Data []byte }
	b.Do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": all}, &got)
	if err := os.WriteFile(path, got.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
