package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/wire"
)

const simulatedNode = "simulated"

// SimulatedDevices returns the devices of the simulated sensors, sorted.
func SimulatedDevices() (out []string) {
	for name, value := range sim.OneOfEach() {
		if strings.HasSuffix(name, "_DEVICE") {
			out = append(out, value)
		}
	}
	slices.Sort(out)
	return out
}

// faults returns the page's switch of the simulated sensors, nil if none runs here.
func (p *platform) faults() *status.Faults {
	if !p.simulates() {
		return nil
	}
	f := &status.Faults{
		On: func() map[string]string {
			on, out := p.fail.On(), map[string]string{}
			for _, d := range SimulatedDevices() {
				out[wire.ReadingTopic(simulatedNode, d)] = on[d]
			}
			return out
		},
		Set: func(device, way string) error {
			if !slices.Contains(SimulatedDevices(), device) {
				return fmt.Errorf("there is no simulated sensor %.40q: there are %s", device, strings.Join(SimulatedDevices(), ", "))
			}
			if !p.fail.Set(device, way) {
				return fmt.Errorf("there is no fault %.40q: there are %s, and off", way, strings.Join(FaultNames(), ", "))
			}
			return nil
		},
	}
	for _, w := range sim.Ways {
		f.Ways = append(f.Ways, status.Way{Name: w.Name, About: w.About})
	}
	return f
}

// Fail makes a simulated sensor of the running platform fail in one of FaultNames, or with
// "off" in none. It returns what the platform says about it.
func (h *Installation) Fail(ctx context.Context, device, fault string) (string, error) {
	n, ok := h.findRunning()
	if !ok {
		return "", errors.New("hearth up does not run: start it, it has the simulated sensors")
	}
	body := url.Values{"device": {device}, "fault": {fault}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Gateway+"/faults", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	text := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", err
	case res.StatusCode != http.StatusOK:
		return "", errors.New(text)
	}
	return text, nil
}

// FaultNames returns the names of the ways in which a simulated sensor can be made to fail.
func FaultNames() (out []string) {
	for _, w := range sim.Ways {
		out = append(out, w.Name)
	}
	return out
}
