package fetch

import (
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	for body, want := range map[string]string{
		"":                        "an empty answer",
		" \r\n":                   "an empty answer",
		"Symbol not supported.\n": `"Symbol not supported."`,
		"two\nlines":              `"two lines"`,
		`{"message":"Bad credentials","documentation":1}`:                             `"Bad credentials"`,
		`{"cod":401, "message": "Invalid API key."}`:                                  `"Invalid API key."`,
		`{"error":"invalid_token","error_description":"The token has expired"}`:       `"The token has expired"`,
		`{"errors":[{"message":"Not Authorized","help":"https://developers.asana"}]}`: `"Not Authorized"`,
		`{"errors":["first","second"]}`:                                               `"first"`,
		`{"error":{"code":7,"message":"no such user"}}`:                               `"no such user"`,
		`{"error":29,"message":"Rate limit exceeded"}`:                                `"Rate limit exceeded"`,
		`{"Information":"25 requests per day"}`:                                       `"25 requests per day"`,
		`{"type":"about:blank","title":"Forbidden","status":403,"detail":"no right"}`: `"no right"`,
		`"just a text"`: `"just a text"`,
		`{"code":5}`:    `JSON without a message: "{\"code\":5}"`,
		`{"message":`:   `JSON without a message: "{\"message\":"`,
		"<html>\n<head><title>\n403  Forbidden</title></head><body>secret</body></html>": `a page of HTML titled "403 Forbidden"`,
		"<!DOCTYPE html><script>x='<title>no</title>'</script><h1>It &amp; that</h1>":    `a page of HTML titled "It & that"`,
		"<HTML><BODY>Just a moment...</BODY></HTML>":                                     "a page of HTML",
		"\ufeff<!doctype html><title></title>":                                           "a page of HTML",
		"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><!-- x --></Error>":           `an XML document: "NoSuchKey"`,
		"<?xml version='1.0'?><rss/>":                                                    "an XML document",
		"<div>":                                                                          "a page of HTML",
	} {
		if got := Describe(body); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"API rate limit exceeded"}`:         "API rate limit exceeded",
		"You have exceeded\n a secondary rate limit.\n": "You have exceeded a secondary rate limit.",
		`"slow down"`:                          "slow down",
		"<html><title>Too many</title></html>": `a page of HTML titled "Too many"`,
		"\ufeff<html></html>":                  "a page of HTML",
		`{"code":5}`:                           `JSON without a message: "{\"code\":5}"`,
		" ":                                    "an empty answer",
	} {
		if got := Message(body); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}

func TestAPageOfHTMLIsNotInAnError(t *testing.T) {
	e := &StatusError{Host: "shop.example", Code: 503, Body: "<html><head><title>Down</title><style>a{}</style></head><body><p>Please wait</p></body></html>"}
	if got := e.Error(); got != `shop.example answered 503: a page of HTML titled "Down"` {
		t.Error(got)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add(`{"errors":[{"message":"x"}]}`)
	f.Add("<html><title>a<b>c")
	f.Fuzz(func(t *testing.T, body string) {
		if got := Describe(body); strings.ContainsAny(got, "\n\r") || got == "" {
			t.Errorf("%q", got)
		}
	})
}
