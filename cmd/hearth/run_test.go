package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// onTerminal keeps what is written to it, and has the descriptor of a terminal.
type onTerminal struct {
	bytes.Buffer
	*os.File
}

func (o *onTerminal) Write(b []byte) (int, error) { return o.Buffer.Write(b) }

func TestWhatAnUpstreamAnsweredCannotControlTheTerminal(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	const evil = "\x1b[2J\u009b2J\u202e"
	a := source.Answer{
		Status: "dry_run", Warnings: []string{"home: " + evil + "\n# ok: 9 new"},
		Readings: []reading.Reading{{Name: "weather", Text: map[string]string{"summary": evil}, Time: time.Unix(0, 0)}},
		Items:    []item.Item{{Source: "feeds", ID: evil, Title: evil, URL: evil, Attributes: map[string]string{"author": evil}}},
	}
	shown, piped := &onTerminal{File: tty}, &bytes.Buffer{}
	show(shown, a)
	show(piped, a)
	if out := shown.String(); strings.ContainsAny(out, evil[:1]+"\u009b\u202e") || strings.Contains(out, "\n# ok") || !strings.Contains(out, `weather summary="·[2J·2J·" 0`) {
		t.Errorf("%q", out)
	}
	if out := piped.String(); !strings.Contains(out, `weather summary="`+evil+`" 0`) {
		t.Errorf("the line protocol is not exact: %q", out)
	}
}
