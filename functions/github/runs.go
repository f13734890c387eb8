package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// page is a page of https://docs.github.com/rest/actions/workflow-runs
type page struct {
	Total *int   `json:"total_count"`
	Runs  *[]run `json:"workflow_runs"`
}

// run is a workflow run, as far as we use it.
type run struct {
	ID         int64     `json:"id"`
	Number     int       `json:"run_number"`
	Attempt    int       `json:"run_attempt"`
	Name       string    `json:"name"`
	Path       string    `json:"path"` // .github/workflows/ci.yml
	Event      string    `json:"event"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"` // "" until the run ends
	Branch     string    `json:"head_branch"`
	URL        string    `json:"html_url"`
	Created    time.Time `json:"created_at"`
	Started    time.Time `json:"run_started_at"` // of the latest attempt
	Updated    time.Time `json:"updated_at"`
}

const (
	maxRuns  = 1000        // that GitHub returns for one span, in pages
	minSpan  = time.Minute // shorter spans are not halved
	maxPages = 100         // requested for one target
)

// actions returns a reading for each run that ended, of the last Days or in w. For now it
// also lists the workflows whose newest run failed.
func (a *api) actions(ctx context.Context, repo string, w source.Window) (source.Batch, error) {
	from, to := w.From, w.To
	if w.Now() {
		// Whole days: the URL stays the same for a day, so that its ETag can be used.
		now := a.now()
		from, to = since(now, a.Days), since(now, -1)
	}
	pages := maxPages
	runs, err := a.runs(ctx, repo, from, to, &pages)
	if err != nil {
		return source.Batch{}, err
	}
	b := source.Batch{}
	for _, r := range runs {
		if reading, ok := r.reading(repo); ok {
			b.Readings = append(b.Readings, reading)
		}
	}
	if w.Now() {
		b.Items, b.Complete = failing(runs)
	}
	return b, nil
}

// since returns the start of the UTC day that is a number of days before now.
func since(now time.Time, days int) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
}

// runs returns the runs created in from <= t < to, from all pages. GitHub returns at most
// maxRuns for a span, so a span with more is halved, again and again if needed. pages is
// the number of requests that are left.
func (a *api) runs(ctx context.Context, repo string, from, to time.Time, pages *int) ([]run, error) {
	var all []run
	seen := map[int64]bool{}
	for n := 1; ; n++ {
		if *pages--; *pages < 0 {
			return nil, fmt.Errorf("more than %d pages of runs: make GITHUB_RUN_DAYS or the window smaller", maxPages)
		}
		answer, err := a.get(ctx, "repos/"+repo+"/actions/runs", url.Values{
			"created":  {from.UTC().Format(time.RFC3339) + ".." + to.Add(-time.Second).UTC().Format(time.RFC3339)},
			"per_page": {perPage}, "page": {strconv.Itoa(n)}, "exclude_pull_requests": {"true"},
		})
		if err != nil {
			return nil, fmt.Errorf("workflow runs: %w", err)
		}
		runs, total, err := decodeRuns(answer.Body)
		if err != nil {
			return nil, fmt.Errorf("decode workflow runs: %w", err)
		}
		if total > maxRuns && to.Sub(from) > minSpan {
			half := from.Add(to.Sub(from) / 2).Truncate(time.Second)
			older, err := a.runs(ctx, repo, from, half, pages)
			if err != nil {
				return nil, err
			}
			newer, err := a.runs(ctx, repo, half, to, pages)
			return append(older, newer...), err
		}
		// If a run starts between two requests, the others move by one place. The next
		// page then repeats a run.
		for _, r := range runs {
			if !seen[r.ID] {
				seen[r.ID] = true
				all = append(all, r)
			}
		}
		if len(runs) == 0 || len(all) >= min(total, maxRuns) {
			return all, nil
		}
	}
}

// decodeRuns returns the runs of a page and the number of runs in the span.
func decodeRuns(body []byte) ([]run, int, error) {
	var p page
	if odd, err := fetch.Decode(body, &p); err != nil || odd != "" { // a run without its conclusion would not fail
		return nil, 0, cmp.Or(err, errors.New(odd))
	}
	if p.Total == nil || p.Runs == nil {
		return nil, 0, errors.New("no total_count or no workflow_runs")
	}
	for i := range *p.Runs {
		r := &(*p.Runs)[i]
		if r.Started.IsZero() {
			r.Started = r.Created
		}
		if r.ID == 0 || r.Path == "" || r.Status == "" || r.Created.IsZero() || r.Started.IsZero() || r.Updated.IsZero() {
			return nil, 0, fmt.Errorf("run %d has no path, status or time", r.ID)
		}
	}
	return *p.Runs, *p.Total, nil
}

// reading returns the reading of the run's latest attempt; ok is false until it has ended.
//
// GitHub's times have no fractions, and one push may start several runs of a workflow in
// the same second. Two readings of a series with the same time would overwrite each
// other, so the run's number gives the milliseconds.
func (r run) reading(repo string) (_ reading.Reading, ok bool) {
	if r.Status != "completed" {
		return reading.Reading{}, false
	}
	fields := map[string]float64{"run_attempt": float64(max(r.Attempt, 1))}
	if took := r.Updated.Sub(r.Started); took >= 0 && took <= 35*24*time.Hour {
		fields["duration_seconds"] = took.Seconds()
	}
	if success, counts := r.success(); counts && success {
		fields["success"] = 1
	} else if counts {
		fields["success"] = 0
	}
	return reading.Reading{
		Name:   "github_workflow_run",
		Tags:   map[string]string{"repo": repo, "workflow": r.workflow()},
		Fields: fields,
		Text:   map[string]string{"conclusion": r.Conclusion, "branch": r.Branch, "event": r.Event},
		Time:   r.Started.UTC().Truncate(time.Second).Add(time.Duration(r.Number%1000) * time.Millisecond),
	}, true
}

// success reports whether the run succeeded. counts is false if its conclusion shows
// neither success nor failure: cancelled, skipped, neutral, stale.
func (r run) success() (success, counts bool) {
	switch r.Conclusion {
	case "success":
		return true, true
	case "failure", "timed_out", "startup_failure":
		return false, true
	}
	return false, false
}

// workflow returns the name of the workflow's file. The name of the run would make too
// many series: each run of Dependabot has another name.
func (r run) workflow() string {
	file, _, _ := strings.Cut(r.Path, "@")
	return strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".yml"), ".yaml")
}

// failing returns an item for each workflow and branch whose newest run failed. It ignores
// pull requests and runs that show neither success nor failure.
//
// A repeated run is an exception: GitHub no longer shows how its earlier attempt ended,
// which most likely failed. While such a run is in progress, settled is false and the list
// must not close an item. If it was cancelled, it counts as failed.
func failing(runs []run) (items []item.Item, settled bool) {
	newest := map[string]run{}
	for _, r := range runs {
		_, counts := r.success()
		key := r.workflow() + "@" + r.Branch
		if !counts && r.Attempt <= 1 || strings.HasPrefix(r.Event, "pull_request") {
			continue
		}
		if old, ok := newest[key]; !ok || cmp.Or(r.Created.Compare(old.Created), cmp.Compare(r.ID, old.ID)) > 0 {
			newest[key] = r
		}
	}
	settled = true
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		r := newest[key]
		if r.Status != "completed" {
			settled = false
			continue
		}
		if success, _ := r.success(); success {
			continue
		}
		items = append(items, item.Item{
			ID: key, Title: fmt.Sprintf("%s on %s: %s", cmp.Or(r.Name, r.workflow()), r.Branch, strings.ReplaceAll(r.Conclusion, "_", " ")),
			URL: r.URL, At: r.Created,
			Attributes: map[string]string{"workflow": r.workflow(), "branch": r.Branch, "conclusion": r.Conclusion, "event": r.Event, "run_number": strconv.Itoa(r.Number)},
		})
	}
	return items, settled
}
