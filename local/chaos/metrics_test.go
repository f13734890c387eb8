package chaos

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// metrics reads the connector's metrics. Values that differ only in labels are summed.
func (h *hearth) metrics() (map[string]float64, error) {
	res, err := http.Get("http://" + h.connector.Addr + "/metrics")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := map[string]float64{}
	lines := bufio.NewScanner(io.LimitReader(res.Body, 1<<20))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name, _, _ = strings.Cut(name, "{")
		_, last, more := strings.Cut(value, "} ") // a label with a space
		if more {
			value = last
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, err
		}
		out[name] += v
	}
	return out, lines.Err()
}
