package unmapped

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

func letter(topic, sample string) store.DeadLetter {
	return store.DeadLetter{Function: "sensors", Topic: topic, Reason: wire.Unmapped + "topic " + topic, Size: int64(len(sample)), Sample: []byte(sample)}
}

func TestATopicHasAProposalThatReadsItsMessages(t *testing.T) {
	cut := letter("big", `{"t":1}`)
	cut.Size = 5000
	of := Topics([]store.DeadLetter{
		letter("garden/barrel", `{"level":42,"temp_f":68,"when":"2026-11-27T12:00:00Z"}`), letter("garden/barrel", `x`), letter("hearth/attic/x", `{"a":1}`),
		letter("left/alone", `{"a":1}`), cut, {Function: "zigbee", Topic: "z", Reason: wire.Unmapped},
	}, []store.PageDevice{{Topic: "left/alone"}})
	if len(of) != 2 || of[0].Name != "garden/barrel" || of[0].Waiting != 2 || of[1].Mapping != "" {
		t.Fatalf("%+v", of)
	}
	values, err := of[0].Try(of[0].Mapping)
	if err != nil || len(values) < 2 || values[0].Device != "garden-barrel" || strings.Contains(of[0].Mapping, "devices:") {
		t.Errorf("%v %v of %s", values, err, of[0].Mapping)
	}
	values, err = of[0].Try("- {device: barrel, topic: garden/+, fields: {level_percent: $.level, temperature: {path: $.temp_f, unit: °F}}}\n")
	if err != nil || len(values) != 2 || values[0].Field.Unit != "%" || values[0].V != 42 || values[1].V != 20 || values[1].Field.Unit != "°C" {
		t.Errorf("%+v %v", values, err)
	}
	for text, want := range map[string]string{
		"- {topic: other, fields: {a: $.level}}":           "the topic of these messages",
		"- {topic: garden/barrel, fields: {a: $.nothing}}": "none of the mapped fields",
		"- {topic: garden/barrel, feilds: {a: $.level}}":   "did you mean fields?",
		"- {topic: garden/barrel":                          "line",
		"- {device: x, name: y}":                           "the topic of these messages",
		strings.Repeat("#", maxMapping+1):                  "longer than 16 KiB",
	} {
		if values, err := of[0].Try(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v %v, want %q", text, values, err, want)
		}
	}
	if _, err := of[1].Try("- {topic: big, fields: {a: $.t}}"); err == nil || !strings.Contains(err.Error(), "4 KiB") {
		t.Error(err)
	}
	if id, name, room := Saved("- {device: barrel, name: Barrel, room: Garden, topic: x, fields: {a: $.b}}"); id != "barrel" || name != "Barrel" || room != "Garden" {
		t.Error(id, name, room)
	}
}
