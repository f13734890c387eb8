package glance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
)

// feedEntry is an entry of a feed, of so long ago.
func feedEntry(title, address string, old time.Duration, attributes ...string) item.Item {
	i := item.Item{ID: title, Title: title, URL: address, At: now.Add(-old), Attributes: map[string]string{}}
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		i.Attributes[k] = v
	}
	return i
}

func TestNewsAreTheNewestItems(t *testing.T) {
	f := newFixture(t)
	f.Items("feeds", "rpilocator", feedEntry("Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit", "https://adafruit.example", 18*time.Minute, "model=5", "ram=8GB", "shop=Adafruit"),
		feedEntry("Stock Alert: Zero", "https://pi.example", 50*time.Hour, "model=Zero 2 W", "shop=PiShop"))
	f.Items("feeds", "news", feedEntry("Zigbee2MQTT 2.15 released", "https://z.example/?a=geheim", 2*time.Hour), feedEntry("<script>geheim", "javascript:alert(1)", 26*time.Hour),
		feedEntry("Of a day", "https://d.example", 38*time.Hour, "published=2026-11-26"), feedEntry("Long ago", "", 400*time.Hour, "published=2026-11-11"), feedEntry("An event", "", time.Hour, "start=2026-11-27"))
	f.Items("ebay", "snes", feedEntry("SNES controller", "https://e.example", 26*time.Minute))
	tile := f.tile("news")
	want := "Pi 5 8 GB in stock at Adafruit 18 min SNES controller 26 min Zigbee2MQTT 2.15 released 2 h &lt;script&gt;[secret] 26 h Of a day Thu Pi Zero 2 W in stock at PiShop 2 days Long ago 11 Nov"
	if got := words(tile); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	body := string(tile.Body)
	if strings.Contains(body, "javascript") || strings.Contains(body, "<script") || strings.Count(body, `<li class="dim">`) != 2 || !strings.Contains(body, `<a href="https://adafruit.example" rel="noopener noreferrer">`) {
		t.Error(body)
	}
}

func TestOneFeedDoesNotFillTheNews(t *testing.T) {
	f := newFixture(t)
	var all []item.Item
	for n := range 40 {
		all = append(all, feedEntry(fmt.Sprint("Spam ", n), "", time.Duration(n)*time.Minute))
	}
	f.Items("feeds", "spam", all...)
	f.Items("feeds", "quiet", feedEntry("Rare", "", 99*time.Hour))
	body := string(f.tile("news").Body)
	if strings.Count(body, "<li") != 7 || !strings.Contains(body, ">Rare<") || !strings.Contains(body, ">34 more<") {
		t.Error(body)
	}
}

func TestAnEventIsNoNews(t *testing.T) {
	f := newFixture(t)
	f.Items("feeds", "calendar", feedEntry("Market", "", time.Hour, "start=2026-11-27"))
	if tile := f.tile("news"); tile != nil {
		t.Errorf("%s", tile.Body)
	}
}

// TestNewsToComeHaveADay: an entry whose time is to come is not as old as that is far away.
func TestNewsToComeHaveADay(t *testing.T) {
	f := newFixture(t)
	f.Items("feeds", "talks", feedEntry("Talk", "", -75*time.Hour), feedEntry("Now", "", -20*time.Second))
	if got, want := words(f.tile("news")), "Talk 30 Nov Now now"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
