package secret

import (
	"encoding/base64"
	"testing"
)

func TestTheSecretsInTheAddressesOfASettingAreRedacted(t *testing.T) {
	const where = " in https://home.example/list?page=2 of user home"
	for setting, hidden := range map[string][]string{
		"http://home:hunter-22@influx:8086":                            {"hunter-22"},
		"http://home:hun%2fter@influx:8086":                            {"hun%2fter", "hun/ter", "hun%2Fter"},
		"tcp://home:hun/ter@22@broker:1883":                            {"hun/ter@22", "hun%2Fter%4022"},
		"https://a.example/?of=https://home:hunter@b.example/&k=other": {"hunter", "other"},
		"home:hun/ter@22@plug":                                         {"hun/ter@22"},
		"a=home:hunter@a.example/feed":                                 {"hunter"},
		"https://t0ken22@git.example/feed.atom":                        {"t0ken22"},
		"https://ghp_AbC123xyz:x-oauth-basic@git.example/a":            {"ghp_AbC123xyz", "x-oauth-basic"},
		"https://a.example/feed?token=hunter":                          {"hunter"},
		"https://a.example/feed?apikey=hun+ter%26":                     {"hun+ter%26", "hun ter&"},
		"https://home:hun+ter%26x@a.example/feed":                      {"hun+ter&x", base64.StdEncoding.EncodeToString([]byte("hun+ter&x"))},
		"https://a.example/feed?lang=en&x=s3cr3tvalue#f":               {"s3cr3tvalue"},
		"https://a.example/feed?S3CR3TV4LUE":                           {"S3CR3TV4LUE"},
		"https://a.example/feed#access_token=hunter":                   {"hunter"},
		"a=https://a.example/?k=hunter; b=https://b/?pw=other":         {"hunter", "other"},
		"a=https://a.example/?k=hunter;b=https://b/?pw=other":          {"hunter", "other"},
		"https://a.example/feed?api-key=hunter":                        {"hunter"},
		"https://a.example/feed?feedKey=hunter":                        {"hunter"},
		"https://a.example/feed?accessCode=hunter&passcode=other":      {"hunter", "other"},
		"https://a.example/feed?X-Auth=hunter":                         {"hunter"},
		"https://a.example/feed?user=bob&userPass=hunter":              {"hunter"},
		"https://a.example/feed?PASSWORD=hunter&sid=another":           {"hunter", "another"},
	} {
		f := NewFolder(t.TempDir())
		f.Hide(setting)
		for _, v := range hidden {
			if got := f.Redact("refused: " + v + where); got != "refused: "+redacted+where {
				t.Errorf("%s: %q", setting, got)
			}
		}
	}
}

func TestTheOrdinaryWordsOfAnAddressAreNotRedacted(t *testing.T) {
	for _, setting := range []string{
		"https://shop.example/list?q=raspberry+pi&page=2&lang=de_DE&category=single-board,computer&price=12.50&date=2026-11-27", "https://medium.example/feed/@home",
		"http://[::1]:8086/x@y", "ssl://broker:8883", "no address", "me@home.example: you@home.example", "12:30", "broker:8883",
		"https://blog.example/?s=raspberry&feed=rss2", "https://a.example/feed?keyword=raspberry&author=broker&hashtag=influx&design=home&country_code=example&zipcode=8086&monkey=single",
		"https://a.example/feed?keywords=home,raspberry&access=example&u=broker&user=influx&session_length=8086",
	} {
		f := NewFolder(t.TempDir())
		f.Hide(setting)
		const text = "raspberry pi, single-board,computer, de_DE, 12.50, 2026-11-27, influx:8086, ::1, broker 8883, home.example"
		if got := f.Redact(text); got != text {
			t.Errorf("%s: %q", setting, got)
		}
	}
}
