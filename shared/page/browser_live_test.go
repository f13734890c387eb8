package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

func TestInABrowserAnAlertAppearsAndIsAcknowledgedWithoutReload(t *testing.T) {
	s := serve(t, func(*pagetest.House) {})
	b := browser.Start(t, s.address, 1280, 800)
	if b.Eval("document.querySelector('#verdict h2').textContent + document.title") != "All wellhearth" {
		t.Error(b.Eval("document.querySelector('#verdict').innerText"))
	}
	if text := b.Eval("document.querySelector('main').innerText"); !strings.HasPrefix(text, "Nothing is measured yet.") {
		t.Error(text)
	}
	b.Eval("window.kept = 1")
	s.Raise(pagetest.CO2(alert.Critical, "office-air", "Office air", "Office", 1412, time.Now().Add(-time.Minute))) // clock: the browser's
	b.Until(`document.querySelector("#verdict.critical h2")?.textContent === "1 thing needs you" && document.title === "(1) hearth"`)
	s.Raise(pagetest.CO2(alert.Warning, "hall-air", "Hall air", "Hall", 1300, time.Now().Add(-time.Minute))) // clock: the browser's
	b.Until(`document.querySelectorAll("#verdict li").length === 2`)
	b.Eval(`document.querySelector("#verdict li.critical .got").click()`)
	b.Until(`document.querySelector("#verdict.warning h2")?.textContent === "1 thing needs you" && document.querySelector("#verdict .aside").textContent === "1 acknowledged"`)
	b.Eval(`document.querySelector("#verdict .got-all").click()`)
	b.Until(`document.querySelector("#verdict.well h2")?.textContent === "All well" && document.title === "hearth"`)
	for _, key := range []string{"air-co2-high/office-air/co2_ppm", "air-co2-high/hall-air/co2_ppm"} {
		if states, err := s.Store.AlertsOf(context.Background(), []string{key}); err != nil || states[key].Acked.IsZero() {
			t.Errorf("%s is not acknowledged: %v", key, err)
		}
	}
	b.Eval(`document.querySelector("main").before(Object.assign(document.createElement("p"), { textContent: "one more line above the tiles" })); 1`)
	b.Until(`parseInt(document.documentElement.style.getPropertyValue("--top")) === Math.round(document.querySelector("main").getBoundingClientRect().top + scrollY)`)
	if b.Eval("window.kept") != "1" {
		t.Error("the page was loaded again")
	}
	clean(t, b)
}

func TestInABrowserGotItAsksForTheTokenAndSaysWhereThereIsNone(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		h.Raise(pagetest.CO2(alert.Critical, "office-air", "Office air", "Office", 1412, h.Now.Add(-time.Minute)))
	})
	var none atomic.Bool
	none.Store(true)
	s.page.MayWrite = func(r *http.Request) error {
		switch {
		case none.Load():
			return fmt.Errorf("%w, since its secret is empty", errForbidden)
		case r.Header.Get("Authorization") != "Bearer right":
			return errors.New("Give the token")
		}
		return nil
	}
	b := browser.Start(t, s.address, 1280, 800)
	b.Eval(`document.querySelector("#verdict .got-all").click()`)
	b.Until(`/its secret is empty/.test(document.querySelector("#verdict .said").textContent)`)
	none.Store(false)
	b.Eval(`document.querySelector("#verdict .got-all").click()`)
	b.Until(`!!document.querySelector("dialog.token[open] input[type=password]")`)
	b.Eval(`document.querySelector("dialog.token input[type=password]").value = "right"; document.querySelector("dialog.token form").requestSubmit(); 1`)
	b.Until(`document.querySelector("#verdict h2").textContent === "All well"`)
}

func TestInABrowserWhatIsOldIsGrey(t *testing.T) {
	s := serve(t, pagetest.Full)
	b := browser.Start(t, s.address, 1280, 800)
	b.Until(`document.querySelector("#tile-weather") && !document.querySelector("#tile-weather.stale")`)
	s.moved.Store(int64(3 * time.Hour))
	b.Until(`/^3 h old$/.test(document.querySelector("#tile-weather.stale .old")?.textContent)`)
	clean(t, b)
}

func TestInABrowserItIsSaidThatTheServerIsGone(t *testing.T) {
	s := serve(t, func(*pagetest.House) {})
	b := browser.Start(t, s.address, 1280, 800)
	s.down.Store(true)
	b.Until(`document.body.classList.contains("gone") && document.getElementById("connection").textContent === "No answer from hearth: what you see is less than a minute old"`)
	b.Eval("hearth.ahead += 300000")
	b.Until(`document.getElementById("connection").textContent === "No answer from hearth: what you see is 5 min old"`)
	b.Eval("hearth.ahead -= 300000")
	s.down.Store(false)
	b.Until(`!document.body.classList.contains("gone") && document.getElementById("connection").textContent === ""`)
}

func TestInABrowserAnotherVersionIsLoadedOnce(t *testing.T) {
	s := serve(t, func(*pagetest.House) {})
	b := browser.Start(t, s.address, 1280, 800)
	b.Eval(`window.left = true; document.body.dataset.build = "older"; live.tag = "older"; 1`)
	b.Until(`!window.left && document.querySelector("#verdict h2")?.textContent === "All well" && document.body.dataset.build !== "older"`)
	b.Eval(`window.left = true; window.answers = 0; const before = fetch; window.fetch = (...all) => { window.answers++; return before(...all); }; document.body.dataset.build = "older"; live.tag = "older"; 1`)
	b.Until("window.answers > 3")
	if b.Eval("window.left") != "true" {
		t.Error("the page is loaded again and again")
	}
	clean(t, b)
}

func TestInABrowserNothingIsFetchedWhileNobodyLooks(t *testing.T) {
	s := serve(t, func(*pagetest.House) {})
	b := browser.Start(t, s.address, 1280, 800)
	b.Eval(`window.answers = 0; const before = fetch; window.fetch = (...all) => { window.answers++; return before(...all); };
		window.hide = (yes) => { Object.defineProperty(document, "hidden", { value: yes, configurable: true }); document.dispatchEvent(new Event("visibilitychange")); }; 1`)
	b.Until("window.answers > 1 && !live.busy")
	b.Eval("hide(true); clearTimeout(live.timer); live.timer = setTimeout(refresh, 0); window.answers = 0; setTimeout(() => { window.waited = true; }, 500); 1")
	b.Until("window.waited")
	if n := b.Eval("window.answers"); n != "0" {
		t.Errorf("%s requests of a hidden page", n)
	}
	b.Eval("hide(false); 1")
	b.Until("window.answers > 0")
	clean(t, b)
}
