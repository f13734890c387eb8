package function

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/item"
)

// answer returns an answer of www.example.org.
func answer(kind, body string) *fetch.Answer {
	u := &url.URL{Scheme: "https", Host: "www.example.org", Path: "/list"}
	return &fetch.Answer{Header: http.Header{"Content-Type": {kind}}, Body: []byte(body), URL: u}
}

// one returns the only element of a setting.
func one(t testing.TB, setting string, page bool) watch {
	t.Helper()
	c := Config{MaxAge: 12 * time.Hour}
	if c.Feeds = setting; page {
		c.Feeds, c.Pages = "", setting
	}
	all, names, err := c.watches()
	if err != nil || len(names) != 1 {
		t.Fatalf("watches(%q) = %v, %v", setting, names, err)
	}
	return all[names[0]]
}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		file, setting string
		page          bool
	}{
		"rpilocator": {"rpilocator.xml", "x=https://www.example.org/ preset=raspberry-pi", false},
		"all":        {"rpilocator.xml", "x=https://www.example.org/ except='(?i)zero'", false},
		"news":       {"news.atom", "x=https://www.example.org/", false},
		"shop":       {"shop.html", "x=https://www.example.org/ selector=.variant preset=raspberry-pi", true},
	} {
		t.Run(name, func(t *testing.T) {
			a, w := answer("text/html", read(t, c.file)), one(t, c.setting, c.page)
			items, _, err := decodeFeed(a, w)
			if c.page {
				items, err = decodePage(a, w)
			}
			if err != nil {
				t.Fatal(err)
			}
			b, _ := json.MarshalIndent(items, "", "  ")
			golden.Text(t, "testdata/"+name+".items.json", string(b)+"\n")
		})
	}
}

func TestFeedRefuses(t *testing.T) {
	feed := read(t, "rpilocator.xml")
	for name, body := range map[string]string{
		"empty":            "",
		"html":             "<!DOCTYPE html><html><body>Just a moment...</body></html>",
		"not xml":          "Feed not found",
		"truncated":        feed[:len(feed)-100],
		"truncated early":  feed[:60],
		"no channel":       `<rss version="2.0"></rss>`,
		"an error in xml":  `<?xml version="1.0"?><error>gone</error>`,
		"an error in json": `{"error":"gone"}`,
		"changed type":     `{"version":"https://jsonfeed.org/version/1.1","title":"t","items":"none"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if items, _, err := decodeFeed(answer("text/xml", body), watch{}); err == nil {
				t.Errorf("decodeFeed(%.40q) = %v, want an error", body, items)
			}
		})
	}
}

func TestAFeedWithoutEntriesIsNormal(t *testing.T) {
	items, _, err := decodeFeed(answer("text/xml", `<rss version="2.0"><channel><title>Stock</title></channel></rss>`), watch{})
	if err != nil || len(items) != 0 {
		t.Errorf("%v, %v; want no item and no error", items, err)
	}
}

func TestPageRefuses(t *testing.T) {
	page := read(t, "shop.html")
	for name, c := range map[string]struct{ kind, body string }{
		"empty":     {"text/html", "  "},
		"truncated": {"text/html", page[:len(page)/2]},
		"image":     {"image/png", "\x89PNG\r\n\x1a\n"},
		"no page":   {"application/json", `{"stock":1}`}, // for a selector
	} {
		t.Run(name, func(t *testing.T) {
			if items, err := decodePage(answer(c.kind, c.body), one(t, "x=https://x selector=b", true)); err == nil {
				t.Errorf("decodePage(%.40q) = %v, want an error", c.body, items)
			}
		})
	}
}

func TestAPatternMatchesVisibleTextOnly(t *testing.T) {
	for _, c := range []struct {
		body, pattern string
		want          bool
	}{
		{`<p>In <b>st</b>ock</p>`, `In stock`, true},
		{`<table><tr><td>8GB</td><td>In stock</td></table>`, `8GB In stock`, true},
		{`<p hidden>In stock</p>`, `In stock`, false},
		{`<script>"In stock"</script>`, `In stock`, false},
		{`<button disabled>Add to cart</button>`, `Add`, false},
		{`<input type=submit value="Add to cart">`, `Add to cart`, true},
		{"<p>\u00fcber\u00a0Nacht</p>", `über Nacht`, true},
	} {
		w := one(t, "x=https://x pattern='"+c.pattern+"'", true)
		items, err := decodePage(answer("text/html; charset=utf-8", c.body), w)
		if err != nil || (len(items) == 1) != c.want {
			t.Errorf("%s on %s: %v, %v; want %v", c.pattern, c.body, items, err, c.want)
		}
	}
	latin1 := answer("text/html; charset=iso-8859-1", "<p>gr\xfcn</p>")
	if items, err := decodePage(latin1, one(t, "x=https://x pattern=grün", true)); err != nil || len(items) != 1 {
		t.Errorf("latin-1: %v, %v", items, err)
	}
}

func TestRaspberryPi(t *testing.T) {
	for text, want := range map[string]string{
		"Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit 100 units in stock.":      "map[country:US model:5 ram:8GB shop:Adafruit units:100]",
		"Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Pishop 117 units in stock.":        "map[country:US model:5 ram:8GB shop:Pishop units:117]",
		"Stock Alert (UK): RPi CM4 - 4GB RAM, 32GB MMC, With Wifi is In Stock at The Pi Hut": "map[country:UK model:CM4 ram:4GB shop:The Pi Hut]",
		"Stock Alert (FR): RPi Zero 2 W is In Stock at Kubii 1,204 units in stock.":          "map[country:FR model:Zero 2 W shop:Kubii units:1,204]",
		"Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit 100+ units in stock.":     "map[country:US model:5 ram:8GB shop:Adafruit units:100+]",
		"Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Pishop 1,000+ units in stock.":     "map[country:US model:5 ram:8GB shop:Pishop units:1,000+]",
		"Stock Alert (US): RPi 5 is In Stock at Digi-Key 99+ in stock.":                      "map[country:US model:5 shop:Digi-Key units:99+]",
		"Stock Alert (DE): RPi 5 is In Stock at BerryBase > 50 units in stock.":              "map[country:DE model:5 shop:BerryBase units:50+]",
		"Stock Alert (US): RPi 5 is In Stock at Micro Center over 25 units in stock.":        "map[country:US model:5 shop:Micro Center units:25+]",
		"Raspberry Pi 5 8GB, 10 + in stock":                                                  "map[model:5 ram:8GB units:10+]",
		"Raspberry Pi 5 8GB - more than 20 available":                                        "map[model:5 ram:8GB units:20+]",
		"Raspberry Pi 5 8GB: 100+ available":                                                 "map[model:5 ram:8GB units:100+]",
		"Raspberry Pi 5 8GB In Stock (50+)":                                                  "map[model:5 ram:8GB units:50+]",
		"Raspberry Pi 5 8GB In stock: >10":                                                   "map[model:5 ram:8GB units:10+]",
		"Raspberry Pi 5 8GB, at least 5 pieces in stock":                                     "map[model:5 ram:8GB units:5+]",
		"Raspberry Pi 5 8GB mehr als 10 Stück auf Lager":                                     "map[model:5 ram:8GB units:10+]",
		"Raspberry Pi 5 8GB, auf Lager: 1.204":                                               "map[model:5 ram:8GB units:1.204]",
		"Raspberry Pi 5 8GB, über 100 Stück sofort lieferbar, 100+ Stück verfügbar":          "map[model:5 ram:8GB units:100+]",
		"Raspberry Pi 5 8Go, plus de 50 unités en stock":                                     "map[model:5 units:50+]",
		"Raspberry Pi 5 8Go, 3 pièces disponibles":                                           "map[model:5 units:3]",
		"Raspberry Pi 5 available now":                                                       "map[model:5]",
		"Raspberry Pi 5 bientôt disponible":                                                  "",
		"Raspberry Pi 5 8GB 10 units in stock":                                               "map[model:5 ram:8GB units:10]",
		"Raspberry Pi® 4 Model B 2GB $45.00 Add to Cart":                                     "map[model:4 Model B ram:2GB]",
		"Raspberry Pi 5 / 16 GB. Only 3 left":                                                "map[model:5 ram:16 GB units:3]",
		"Raspberry Pi 5 8GB Current stock: 12":                                               "",
		"Raspberry Pi 5 8GB In Stock: 12 Add to Cart":                                        "map[model:5 ram:8GB units:12]",
		"Raspberry Pi 400 sofort lieferbar, 5 Stück auf Lager":                               "map[model:400 units:5]",
		"Raspberry Pi 5 4GB Sold out Raspberry Pi 5 8GB in stock":                            "map[model:5 ram:8GB]",
		"Raspberry Pi 5 4GB Sold out Add to cart":                                            "",
		"Raspberry Pi 5 Out of stock":                                                        "",
		"Raspberry Pi 5: notify me when it is back in stock":                                 "",
		"Raspberry Pi 5 not currently in stock":                                              "",
		"Raspberry Pi 5, in stock: 0":                                                        "",
		"Raspberry Pi 5, 0 units in stock":                                                   "",
		"Raspberry Pi 5 derzeit nicht auf Lager":                                             "",
		"Raspberry Pi OS is in stock":                                                        "",
		"The API 5 is in stock":                                                              "",
		"Arduino Uno in stock":                                                               "",
	} {
		got := ""
		if attributes, _, ok := raspberryPi(text); ok {
			got = fmt.Sprint(attributes)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]string{
		"":                     `[]`,
		" ; \n;":               `[]`,
		"a=b c=d; e=f":         `[["a=b" "c=d"] ["e=f"]]`,
		"a=b\nc=d":             `[["a=b"] ["c=d"]]`,
		`a=b match='x; y "z"'`: `[["a=b" "match=x; y \"z\""]]`,
		`a=b match="it's \d"`:  `[["a=b" "match=it's \\d"]]`,
		`'my feed'=b`:          `[["my feed=b"]]`,
	} {
		if got, err := split(in); err != nil || fmt.Sprintf("%q", got) != want {
			t.Errorf("split(%q) = %q, %v; want %s", in, got, err, want)
		}
	}
	if got, err := split("a=b match='x"); err == nil {
		t.Errorf("an open quote gives %q, want an error", got)
	}
}

func TestAnotherSeparatorIsRefused(t *testing.T) {
	const comma, addresses = `the element "a" has a comma as separator: write a semicolon`, `the element "a" has two addresses: write a semicolon between elements`
	for setting, want := range map[string]string{
		"a=https://x/1,b=https://x/2":            comma,
		"a=https://x/1,https://x/2":              comma,
		"a=https://x/1, b=https://x/2":           comma,
		"a=https://x/1 , b=https://x/2":          comma,
		"z=https://z; a=HTTPS://x/1,B=HTTPS://x": comma,
		"a=https://x/1,match=pi":                 comma,
		"a=https://x/1, match=pi":                comma,
		"a=https://x/1 match=pi,except=zero":     comma,
		"a=https://x/1 match=pi, except=zero":    comma,
		"a=https://x/1 match=pi,b=https://x/2":   comma,
		"a=https://x/1 b=https://x/2":            addresses,
		"a=https://x/1 https://x/2":              addresses,
		"a=https://x/1 match=pi b=https://x/2":   addresses,
		"https://x/s3cr3t,https://x/2":           `the element "x" has a comma as separator`,
		"a=https://x/?q=1,2&u=https://y/,z":      "",
		"a=https://x/1%2Chttps://x/2":            "",
		"a,b=https://x":                          "",
		"a=https://x/1 match='https://y, z'":     "",
		"a=https://x/1 match=https://y":          "",
		"a=https://x/1 except='pi{2,3}|a,b'":     "",
		"a=https://x/1 match='pi,'":              "",
		"a=https://x/1 match=pi,":                "",
		`a=https://x/1 match="(?i)pi," except=b`: "",
		"a=https://x/1 'match=pi,' except='b,'":  "",
		"a=https://x/1 max_age=1h, match=pi":     comma,
		"a=https://x/1 match='pi', except=zero":  comma,
		"'my feed, and yours'=https://x/1":       "",
	} {
		_, names, err := Config{Feeds: setting}.watches()
		if want != "" && (err == nil || !strings.HasPrefix(err.Error(), "FEEDS: "+want) || strings.Contains(err.Error(), "s3cr3t")) || want == "" && (err != nil || len(names) != 1) {
			t.Errorf("%s: %q, %v; want %s", setting, names, err, want)
		}
	}
	for _, setting := range []string{"a=https://x/1 selector=h1,b=https://x/2 pattern=y", "a=https://x/1,selector=h1", "a=https://x/1 selector=h1,pattern=y"} {
		if _, _, err := (Config{Pages: setting}).watches(); err == nil || !strings.HasPrefix(err.Error(), "PAGES: "+comma) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// This is what the command feeds import writes for names and addresses that have what separates.
func TestTheSettingOfAnOPMLFileIsTaken(t *testing.T) {
	_, names, err := Config{Feeds: "match-x-y=https://a.example/?q=1%2Cmatch=2%2Chttps://b.example/; same=https://c.example/a,b.xml; same-2=https://c.example/%3Bx"}.watches()
	if err != nil || fmt.Sprint(names) != "[match-x-y same same-2]" {
		t.Errorf("%q, %v", names, err)
	}
}

func TestADuplicateNameIsRefused(t *testing.T) {
	if _, _, err := (Config{Feeds: "a=https://x", Pages: "a=https://y pattern=z"}).watches(); err == nil {
		t.Error("two targets with the same name are no error")
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(read(f, "rpilocator.xml")))
	f.Add([]byte(read(f, "news.atom")))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[{"id":"1","url":"x"}]}`))
	f.Add([]byte(`<!DOCTYPE rss [<!ENTITY a "&#8211;">]><r:RDF xmlns:r="x" xml:base='y'><item r:about=z><title type="html"><![CDATA[&a;]]></title><a/></item>`))
	f.Add([]byte("\x00<\x00r\x00s\x00s"))
	w := one(f, "x=https://x preset=raspberry-pi", false)
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind, w := range map[string]watch{"text/xml; charset=gbk": w, "": {}} {
			items, _, err := decodeFeed(answer(kind, string(body)), w)
			check(t, items, err)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(read(f, "shop.html")), "text/html; charset=utf-8")
	f.Add([]byte("in stock: Raspberry Pi 5"), "text/plain")
	w := one(f, "x=https://x selector=*", true)
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		for _, w := range []watch{w, {stock: true}} {
			items, err := decodePage(answer(kind, string(body)), w)
			check(t, items, err)
		}
	})
}

// check fails the test for an item that must not be stored, and for items with an error.
func check(t *testing.T, items []item.Item, err error) {
	for _, i := range items {
		if i.ID == "" || err != nil || i.URL != "" && !strings.HasPrefix(i.URL, "http") || len(i.ID) > maxID || strings.Contains(i.Title, "\n") || !utf8.ValidString(i.ID+i.Title+i.URL) {
			t.Errorf("%+v, %v", i, err)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add("a=https://x match='b' except=c max_age=1h; d=https://y preset=raspberry-pi")
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []Config{{Feeds: s}, {Pages: s}} {
			all, names, err := c.watches()
			if err == nil && len(all) != len(names) {
				t.Errorf("%d names for %d elements", len(names), len(all))
			}
			for name, w := range all {
				if name == "" || w.err == nil && w.url == nil {
					t.Errorf("%q: %+v", name, w)
				}
			}
		}
	})
}
