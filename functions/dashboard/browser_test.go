package function

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// behindGateway serves the function of a full house at / and, as OpenFaaS' gateway does, below
// /function/dashboard: without this prefix, with another host name, compressed or not as the
// browser wants. It returns the gateway's address.
func behindGateway(t *testing.T, secrets map[string]string) (*pagetest.House, string) {
	t.Helper()
	h := pagetest.New(t, time.Now()) // clock: the browser's is the real one
	pagetest.Full(h)
	secrets["hearth-settings"] = pagetest.Yml
	handler, err := New(serve.Env{Open: h.Open, Beside: &serve.Beside{}, Env: config.Env{
		Vars: map[string]string{"PAGE_EVERY": "100ms"}, Secrets: secret.InMemory(secrets, nil), Now: time.Now, Log: slog.New(slog.DiscardHandler)}}) // clock: the browser's
	if err != nil {
		t.Fatal(err)
	}
	fn := httptest.NewServer(handler)
	t.Cleanup(fn.Close)
	to, err := url.Parse(fn.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.Handle("/function/dashboard", http.StripPrefix("/function/dashboard", proxy))
	mux.Handle("/function/dashboard/", http.StripPrefix("/function/dashboard", proxy))
	mux.HandleFunc("/function/{other...}", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the page requested %s", r.URL)
	})
	gateway := httptest.NewServer(mux)
	t.Cleanup(gateway.Close)
	return h, gateway.URL
}

// TestInABrowserThePageWorksAtEachAddress: with its style, live, with its history and its lists.
func TestInABrowserThePageWorksAtEachAddress(t *testing.T) {
	h, gateway := behindGateway(t, map[string]string{})
	var b *browser.Browser
	for i, path := range []string{"/", "/function/dashboard", "/function/dashboard/"} {
		if b == nil {
			b = browser.Start(t, gateway+path, 1280, 800)
		} else {
			b.Go(gateway + path)
		}
		below := strings.TrimSuffix(path, "/") + "/"
		b.Until(`document.querySelector("#tile-rooms") && getComputedStyle(document.querySelector("main")).display === "grid"`)
		before := b.Eval(`document.getElementById("verdict").dataset.count`)
		h.Raise(pagetest.CO2(alert.Warning, fmt.Sprint("shed-", i), "Shed", "Shed", 1800, h.Now.Add(-time.Minute)))
		b.Until(`Number(document.getElementById("verdict").dataset.count) > ` + before)
		b.Eval(`document.querySelector("[data-plots]").click()`)
		b.Until(`document.querySelector("dialog#history[open] .summary")?.innerText.length > 20`)
		b.Eval(`document.querySelector("dialog#history .close").click()`)
		b.Until(`!document.querySelector("dialog#history[open]") && location.search === ""`)
		b.Eval(`window.left = true; document.querySelector("nav a[href=status]").click()`)
		b.Until(`!window.left && document.readyState === "complete" && location.pathname === "` + below + `status" && document.getElementById("house") && getComputedStyle(document.querySelector("article")).borderStyle === "solid"`)
		h.Raise(pagetest.CO2(alert.Warning, fmt.Sprint("barn-", i), "Barn", "Barn", 1800, h.Now.Add(-time.Minute)))
		b.Until(`document.getElementById("alerts").innerText.includes("Barn")`)
		b.Eval(`window.left = true; document.querySelector("nav a").click()`)
		b.Until(`!window.left && document.readyState === "complete" && location.pathname === "` + below + `" && !!document.querySelector("#tile-rooms")`)
	}
	if len(b.Errors) != 0 {
		t.Errorf("errors in the console: %s", b.Errors)
	}
	for _, u := range b.URLs {
		if !strings.HasPrefix(u, gateway) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
			t.Errorf("the page requested %s", u)
		}
	}
}

// TestInABrowserTheTokenIsAskedFor: before anything is read, and before the first change.
func TestInABrowserTheTokenIsAskedFor(t *testing.T) {
	h, gateway := behindGateway(t, map[string]string{"page-token": "read-token", "page-write-token": "write-token"})
	b := browser.Start(t, gateway+"/function/dashboard", 1280, 800)
	enter := func(token string) {
		b.Until(`document.getElementById("login")?.hidden === false`)
		b.Eval(fmt.Sprintf(`document.getElementById("token").value = %q; document.querySelector("#login button").click()`, token))
	}
	enter("wrong")
	b.Until(`document.getElementById("said").textContent.startsWith("this token is wrong")`)
	enter("read-token")
	b.Until(`document.querySelector("#tile-rooms") && getComputedStyle(document.querySelector("main")).display === "grid" && location.pathname === "/function/dashboard/"`)
	h.Raise(pagetest.CO2(alert.Warning, "shed", "Shed", "Shed", 1800, h.Now.Add(-time.Minute)))
	b.Until(`document.getElementById("verdict").innerText.includes("Shed")`) // live
	b.Eval(`document.querySelector("[data-plots]").click()`)
	b.Until(`document.querySelector("dialog#history[open] .summary")?.innerText.length > 20`)
	b.Go(gateway + "/function/dashboard/status") // the tab knows the token
	b.Until(`document.getElementById("alerts")?.innerText.includes("Shed") && typeof forget === "function" && document.cookie === ""`)
	b.Eval(`[...document.querySelectorAll("#alerts button")].find((b) => b.textContent === "Acknowledge").click()`)
	b.Until(`document.querySelector("dialog.token[open]")?.innerText.includes("page-write-token")`)
	b.Eval(`document.querySelector("dialog.token button").click()`) // Cancel
	b.Until(`!document.querySelector("dialog.token") && document.getElementById("alerts").innerText.includes("Nothing was done")`)
	if acked(t, h) != 0 {
		t.Error("something was acknowledged without the token")
	}
	b.Eval(`[...document.querySelectorAll("#alerts button")].find((b) => b.textContent === "Acknowledge").click()`)
	b.Until(`!!document.querySelector("dialog.token[open]")`)
	b.Eval(`window.stays = performance.getEntriesByType("resource").length; document.querySelector("dialog.token [type=password]").value = "wrong"; document.querySelector("dialog.token form").requestSubmit()`)
	b.Until(`performance.getEntriesByType("resource").length > window.stays + 3 && document.querySelector("dialog.token[open]")?.innerText.includes("this token is wrong")`) // the page still reads
	b.Eval(`document.querySelector("dialog.token [type=password]").value = "write-token"; document.querySelector("dialog.token form").requestSubmit()`)
	b.Until(`document.getElementById("alerts").innerText.includes("acknowledged at")`)
	if acked(t, h) != 1 {
		t.Error("nothing is acknowledged")
	}
	b.Eval(`sessionStorage.clear()`)
	b.Go(gateway + "/function/dashboard/?view=wall#token=read-token") // a tablet that starts by itself
	b.Until(`!!document.querySelector("#tile-rooms") && location.hash === ""`)
	b.Eval(`sessionStorage.clear()`)
	b.Go(gateway + "/function/dashboard/?view=desk#token=100%x")
	b.Until(`document.getElementById("login")?.hidden === false && document.getElementById("said").textContent.startsWith("this token is wrong")`)
	for _, e := range b.Errors {
		if !strings.Contains(e, "401") { // the browser itself reports those
			t.Errorf("in the console: %s", e)
		}
	}
}

func acked(t *testing.T, h *pagetest.House) (n int) {
	t.Helper()
	states, err := h.Store.ActiveAlerts(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if !s.Acked.IsZero() {
			n++
		}
	}
	return n
}
