package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

func TestEachChannelGetsOneMessageAndAWrongOneIsNamed(t *testing.T) {
	s := slacktest.New(t, time.Now) // clock: only tells messages apart
	s.Answer = func(c slacktest.Call) *slacktest.Answer {
		if c.Channel == "/services/air" {
			return &slacktest.Answer{Status: 404, Body: "no_service"}
		}
		return nil
	}
	vars := map[string]string{"SLACK_WEBHOOKS": "default=" + s.URL + "/services/all climate=" + s.URL + "/services/air"}
	var out bytes.Buffer
	err := test(t.Context(), vars, &out)
	if err == nil || !strings.Contains(out.String(), "webhook for pipelines, devices, hardware, security, products: sent") ||
		!strings.Contains(out.String(), "webhook for climate: failed") || !strings.Contains(out.String(), "secret slack-webhooks is wrong") || strings.Contains(out.String(), "services") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if ms := s.Messages(); len(ms) != 1 || !strings.Contains(ms[0].Text, "Test message") {
		t.Errorf("%+v", ms)
	}
	out.Reset()
	vars = map[string]string{"SLACK_TOKEN": "xoxb-1-2", "SLACK_CHANNELS": "climate=#air", "SLACK_URL": s.URL + "/api/"}
	if err := test(t.Context(), vars, &out); err != nil || strings.Count(out.String(), ": sent\n") != 2 || !strings.Contains(out.String(), "#air (climate)") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := test(t.Context(), map[string]string{}, &out); err == nil {
		t.Error("nothing is configured, and no error")
	}
}
