package history

import (
	"maps"
	"testing"
)

func TestASeriesIsReadBackFromItsKey(t *testing.T) {
	for key, s := range map[string]Series{
		"air.co2_ppm,device=office-air":       {Measurement: "air", Field: "co2_ppm", Tags: map[string]string{"device": "office-air"}},
		`stock_quote.price_usd,symbol=BRK\.B`: {Measurement: "stock_quote", Field: "price_usd", Tags: map[string]string{"symbol": "BRK.B"}},
		`x.y,a\,b\\=c\=d`:                     {Measurement: "x", Field: "y", Tags: map[string]string{`a,b\`: "c=d"}},
		"outdoor_air.us_aqi":                  {Measurement: "outdoor_air", Field: "us_aqi"},
	} {
		if got := s.Key(); got != key {
			t.Errorf("key %s, want %s", got, key)
		}
		got, err := parseKey(key)
		if err != nil || got.Measurement != s.Measurement || got.Field != s.Field || !maps.Equal(got.Tags, s.Tags) {
			t.Errorf("%s: %+v, %v", key, got, err)
		}
	}
	for _, key := range []string{"", "air", "air.", ".x", "a.b.c", "a.b,", "a.b,c", "a.b,c=", "a.b,c=d=e", "a.b,c=d,c=e", `a.b\`} {
		if s, err := parseKey(key); err == nil && s.Key() == key {
			t.Errorf("%q is read as %+v", key, s)
		}
	}
}
