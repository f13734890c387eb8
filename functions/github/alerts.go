package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// vulnerability is a Dependabot alert, as far as we use it:
// https://docs.github.com/rest/dependabot/alerts
type vulnerability struct {
	Number     int    `json:"number"`
	State      string `json:"state"`
	Dependency struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Manifest string `json:"manifest_path"`
		Scope    string `json:"scope"` // runtime, development
	} `json:"dependency"`
	Advisory struct {
		GHSA     string `json:"ghsa_id"`
		CVE      string `json:"cve_id"`
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
	} `json:"security_advisory"`
	Vulnerability struct {
		Range   string `json:"vulnerable_version_range"`
		Patched struct {
			Version string `json:"identifier"`
		} `json:"first_patched_version"`
	} `json:"security_vulnerability"`
	URL     string    `json:"html_url"`
	Created time.Time `json:"created_at"`
}

const maxAlertPages = 50

// alerts returns the open Dependabot alerts of a repository. If Dependabot is off or the
// token may not read its alerts, that is a warning, and a failure if they were read
// before: the alerts are unknown, and stored ones stay open.
func (a *api) alerts(ctx context.Context, repo string, w source.Window) (source.Batch, error) {
	if !w.Now() {
		return source.Batch{}, nil // alerts have no history
	}
	query := url.Values{"state": {"open"}, "per_page": {perPage}}
	var items []item.Item
	var left []string
	for range maxAlertPages {
		answer, err := a.get(ctx, "repos/"+repo+"/dependabot/alerts", query)
		if e, ok := errors.AsType[*fetch.StatusError](err); ok && (e.Code == http.StatusForbidden || e.Code == http.StatusNotFound) {
			return source.Batch{}, source.Off(fmt.Errorf("alerts are unknown: Dependabot is off or the token may not read its alerts: %w", e))
		}
		if err != nil {
			return source.Batch{}, err
		}
		page, odd, err := decodeAlerts(answer.Body)
		if err != nil {
			return source.Batch{}, fmt.Errorf("decode alerts: %w", err)
		}
		items, left = append(items, page...), append(left, odd...)
		cursor, err := nextCursor(answer.Header)
		if err != nil {
			return source.Batch{}, err
		}
		switch {
		case cursor == "" && len(left) > 0: // the others are listed; how many there are is unknown
			return source.Batch{Items: items, Warnings: source.LeftOut(left)}, nil
		case cursor == "":
			return a.counted(repo, items), nil
		}
		query.Set("after", cursor)
	}
	return source.Batch{}, fmt.Errorf("more than %d pages of alerts", maxAlertPages)
}

// severities are those of GitHub's advisories.
var severities = []string{"critical", "high", "medium", "low"}

// counted returns all open alerts of a repository, and their number by severity. That is
// the reading of this day, which later runs of the day replace. A severity without alerts
// has 0.
func (a *api) counted(repo string, items []item.Item) source.Batch {
	b := source.Batch{Items: items, Complete: true}
	counts := map[string]int{}
	for _, i := range items {
		counts[i.Attributes["severity"]]++
	}
	for _, severity := range severities {
		b.Readings = append(b.Readings, reading.Reading{
			Name: "github_alerts", Tags: map[string]string{"repo": repo, "severity": severity},
			Fields: map[string]float64{"open_alerts": float64(counts[severity])}, Time: a.now().UTC().Truncate(24 * time.Hour),
		})
		delete(counts, severity)
	}
	for _, other := range slices.Sorted(maps.Keys(counts)) {
		b.Warnings = append(b.Warnings, fmt.Sprintf("the severity %.40q is not known: its alerts are listed but not counted", other))
	}
	return b
}

// decodeAlerts returns the open alerts of a page, and what of it could not be read: an alert
// without number or package. If that is all of them, the format has changed.
func decodeAlerts(body []byte) (items []item.Item, left []string, err error) {
	var alerts []vulnerability
	odd, err := fetch.Decode(body, &alerts)
	if err != nil {
		return nil, nil, err
	}
	if alerts == nil {
		return nil, nil, fmt.Errorf("%.20q instead of a list", body)
	}
	if odd != "" {
		left = append(left, odd)
	}
	for n, a := range alerts {
		switch {
		case a.Number == 0 || a.Dependency.Package.Name == "":
			left = append(left, fmt.Sprintf("alert %d of a page has no number or no package", n+1))
		case a.State == "open":
			items = append(items, a.item())
		}
	}
	if len(left) > 0 && len(items) == 0 {
		return nil, nil, errors.New(left[0])
	}
	return items, left, nil
}

func (a vulnerability) item() item.Item {
	attributes := map[string]string{}
	for key, v := range map[string]string{
		"severity": cmp.Or(strings.ToLower(a.Advisory.Severity), "unknown"), "package": a.Dependency.Package.Name, "ecosystem": a.Dependency.Package.Ecosystem,
		"manifest": a.Dependency.Manifest, "ghsa": a.Advisory.GHSA, "cve": a.Advisory.CVE, "patched": a.Vulnerability.Patched.Version,
		"scope": a.Dependency.Scope, "vulnerable_range": a.Vulnerability.Range,
	} {
		if v != "" {
			attributes[key] = v
		}
	}
	title := a.Dependency.Package.Name
	if a.Advisory.Summary != "" {
		title += ": " + a.Advisory.Summary
	}
	return item.Item{ID: strconv.Itoa(a.Number), Title: title, URL: a.URL, At: a.Created, Attributes: attributes}
}
