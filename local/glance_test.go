package local

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// repositoryAsCloned returns the repository without the settings of who runs the tests.
func repositoryAsCloned(t *testing.T) string {
	t.Helper()
	from, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, e := range all {
		if e.Name() == dotenvName || e.Name() == settingsName {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(root, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// launchAll starts everything that stack.yml has, with simulated sensors and example answers.
func launchAll(t *testing.T) *running {
	t.Helper()
	logs := &testserver.Output{}
	h, err := Open(repositoryAsCloned(t), []string{"HEARTH_DIR=" + t.TempDir(), "PORT=0", "MQTT_PORT=0"}, logs)
	if err != nil {
		t.Fatal(err)
	}
	u, err := newPlatform(h)
	if err != nil {
		t.Fatal(err)
	}
	parts := u.parts()
	if err := startAll(t.Context(), parts); err != nil {
		t.Fatal(err)
	}
	u.gateway.Ready(true)
	stop := sync.OnceFunc(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := stopAll(ctx, parts); err != nil {
			t.Errorf("stop: %v\n%s", err, logs)
		}
	})
	t.Cleanup(stop)
	u.waitReady(t.Context())
	return &running{platform: u, t: t, logs: logs, stop: stop}
}

func TestInABrowserEachTileHasDataAndItsHistory(t *testing.T) {
	r := launchAll(t)
	address := "http://" + r.server.Addr + "/"
	b := browser.Start(t, address, 1920, 1080)
	tiles := []string{"weather", "today", "air", "rooms", "power", "house", "computers", "stocks", "curve", "github", "news"}
	for _, tile := range tiles {
		b.Until(fmt.Sprintf(`(document.getElementById("tile-%s")?.textContent.match(/\d/) ?? null) !== null`, tile))
	}
	b.Until(`document.querySelectorAll("#tile-rooms .spark").length > 2 && document.querySelector("#tile-computers .spark, #tile-computers svg") !== null`) // the samples have a history
	plotted := 0
	for _, tile := range tiles {
		plots := fmt.Sprintf(`document.querySelector("#tile-%s[data-plots], #tile-%s [data-plots]")`, tile, tile)
		if b.Eval(plots+" === null") == "true" {
			continue
		}
		plotted++
		b.Eval(`window.before = document.querySelector("dialog")?.textContent ?? ""`)
		b.Eval(plots + `.dispatchEvent(new MouseEvent("click", { bubbles: true })), 1`)
		b.Until(`document.querySelector("dialog[open] canvas") !== null && document.querySelector("dialog[open]").textContent !== window.before && document.querySelector("dialog[open]").textContent.includes("on average")`)
		b.Eval(`document.querySelector("dialog[open]").close(), 1`)
		b.Until(`document.querySelector("dialog[open]") === null && location.search === ""`)
	}
	if plotted < 7 {
		t.Errorf("only %d tiles have a history", plotted)
	}

	mqtt := client(t, r.mqttURL)
	done(t, mqtt.Publish("hearth/attic/attic-ups", 1, false, `{"device":"attic-ups","sensor":"nut","fields":{"low_battery":1,"battery_percent":9}}`))
	b.Until(`document.getElementById("verdict").textContent.includes("Battery low")`)

	for _, width := range []int{390, 768, 1024, 1920} {
		b.Resize(width, 900)
		if b.Eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth") != "true" {
			t.Errorf("at %d pixels the page is %s wide", width, b.Eval("document.documentElement.scrollWidth"))
		}
	}
	for _, u := range b.URLs {
		if !strings.HasPrefix(u, address) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
			t.Errorf("it asks %s", u)
		}
	}
	if len(b.Errors) != 0 {
		t.Errorf("errors in its console: %s", b.Errors)
	}
}
