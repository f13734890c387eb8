package source_test

import (
	"context"
	"testing"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
)

func TestAnItemsURLIsAWebAddressOrEmpty(t *testing.T) {
	s := thermometer("home")
	for address, want := range map[string]string{
		"https://app.example/1?a=%2f#x": "https://app.example/1?a=%2f#x", "http://nas.home:81/": "http://nas.home:81/",
		"https://me:s3cr3t@app.example/": "https://app.example/",
		"javascript:alert(1)":            "", "//app.example/": "", "https://": "", "https://:80/": "", "/path": "", "mailto:a@b": "", "": "",
	} {
		s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
			return source.Batch{Items: []item.Item{{ID: "1", Title: "a", URL: address}}}, nil
		}
		if a, w := start(t, s).Post("show=true"); w.Code != 200 || len(a.Items) != 1 || a.Items[0].URL != want {
			t.Errorf("%s: %d %s, want %q", address, w.Code, w.Body, want)
		}
	}
}

func TestShowAnswersTheDecodedReadingsAndStoresThem(t *testing.T) {
	h := start(t, thermometer("home", "nowhere"))
	a, w := h.Post("show=true")
	if w.Code != 200 || a.Stored != 2 || len(a.Readings) != 1 || len(a.Items) != 1 || len(h.Readings("weather")) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if a, w := h.Post(""); len(a.Readings)+len(a.Items) != 0 {
		t.Errorf("without show: %d %s, want neither readings nor items", w.Code, w.Body)
	}
}
