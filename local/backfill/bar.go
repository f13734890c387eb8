package backfill

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/printable"
)

// Bar prints progress: one line that changes on a terminal, else one line for each Show.
type Bar struct {
	W        io.Writer
	Terminal bool
	Name     string
	width    int // of the line before
}

const cells = 30

// Show prints p, in one line whatever the function answered.
func (b *Bar) Show(p Progress) {
	full := int(p.Done * cells)
	line := fmt.Sprintf("%s [%s%s] %3.0f%%  %d new, %d unchanged", b.Name,
		strings.Repeat("=", full), strings.Repeat(" ", cells-full), p.Done*100, p.Stored, p.Unchanged)
	switch {
	case p.waiting != "":
		line += "  waiting: " + p.waiting
	case p.Done == 1:
		line += "  done"
	case p.left > 0:
		line += "  " + p.left.Round(time.Second).String() + " left"
	}
	line = printable.Line(line)
	if !b.Terminal {
		fmt.Fprintln(b.W, line)
		return
	}
	if r := []rune(line); len(r) > 118 { // a line that wraps cannot be overwritten
		line = string(r[:117]) + "…"
	}
	fmt.Fprintf(b.W, "\r%s%s", line, strings.Repeat(" ", max(0, b.width-len([]rune(line)))))
	b.width = len([]rune(line))
}

// End ends the line on a terminal, so that the next output does not overwrite it.
func (b *Bar) End() {
	if b.Terminal && b.width > 0 {
		fmt.Fprintln(b.W)
	}
}
