package host

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/hardware"
)

// nvidiaQuery names the columns. With nounits they are, from the third on, in °C, %, MiB,
// MiB, W and MHz. See nvidia-smi --help-query-gpu.
const nvidiaQuery = "index,name,temperature.gpu,utilization.gpu,memory.used,memory.total,power.draw,clocks.current.graphics"

const nvidiaTimeout = 5 * time.Second

// nvidia reads the machine's NVIDIA cards if nvidia-smi is installed. If that fails, only
// the values of the cards are missing from the sample.
func (d *dev) nvidia(ctx context.Context, s *driver.Sample) {
	if d.cfg.NVIDIASMI == "" {
		return
	}
	path, err := exec.LookPath(d.cfg.NVIDIASMI)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nvidiaTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--query-gpu="+nvidiaQuery, "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second // a driver that hangs can hold the pipe open
	out, err := cmd.Output()
	if err == nil {
		err = parseNVIDIA(string(out), s)
	}
	if err != nil {
		d.counts.BadFrames++
	}
}

// parseNVIDIA parses the output of nvidia-smi: a row for each card, with "[N/A]" for
// values that the card does not have.
func parseNVIDIA(text string, s *driver.Sample) error {
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	r.LazyQuotes = true
	r.FieldsPerRecord = strings.Count(nvidiaQuery, ",") + 1
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("nvidia-smi: %w", err)
	}
	if len(rows) == 0 {
		return errors.New("nvidia-smi: no card is listed")
	}
	for _, row := range rows {
		index, err := strconv.ParseUint(strings.TrimSpace(row[0]), 10, 16)
		if err != nil {
			return fmt.Errorf("nvidia-smi: %.20q is not the number of a card", row[0])
		}
		part := hardware.Number("gpu", int(index)) + "_"
		s.Text[part+"name"] = strings.TrimSpace(row[1])
		for i, f := range []struct {
			key  string
			unit float64
		}{
			{"temperature_celsius", 1},
			{"usage_percent", 1},
			{"memory_used_bytes", 1 << 20},
			{"memory_total_bytes", 1 << 20},
			{"power_watts", 1},
			{"frequency_hertz", 1e6},
		} {
			set(s, part+f.key, strings.TrimSpace(row[2+i]), f.unit)
		}
	}
	return nil
}
