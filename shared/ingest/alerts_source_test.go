package ingest

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// TestASourceIsJudgedByTheNewestReadingOfEachSeries: a run for now, also if it stores
// nothing new; no backfill.
func TestASourceIsJudgedByTheNewestReadingOfEachSeries(t *testing.T) {
	w := newWatchful(t, "rules: {heat: {field: weather.temperature_celsius, above: 30}}")
	run := w.run()
	save := func(run store.Run, watch *Watch, rs ...reading.Reading) {
		t.Helper()
		if _, _, err := SaveRun(t.Context(), w.st, run, checked(t, Found{Readings: rs, List: store.List{Target: "home"}}), nil, watch); err != nil {
			t.Fatal(err)
		}
		active, err := w.st.ActiveAlerts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.watch.House.Active = map[string]bool{}
		for _, a := range active {
			w.watch.House.Active[a.Key] = true
		}
	}
	backfill := run
	backfill.From = noon.AddDate(0, 0, -2)
	save(backfill, &w.watch, weather("home", at(-300), warm(35)))
	w.want("backfilled", w.told())
	save(run, nil, weather("home", at(-20), warm(35)), weather("away", at(-20), warm(20))) // stored, and not judged: the process died
	save(run, &w.watch, weather("home", at(-20), warm(35)), weather("home", at(-40), warm(10)), weather("away", at(-20), warm(20)))
	w.want("unchanged", w.told(), "fired: Temperature is 35°C, above 30°C")
	save(run, &w.watch, weather("home", at(-20), warm(35)))
	save(run, &w.watch, weather("home", at(-30), warm(10))) // older than what was judged
	w.want("again", w.told(), "fired: Temperature is 35°C, above 30°C")
	save(run, &w.watch, weather("home", at(-10), warm(29.2)))
	w.want("over", w.told(), "fired: Temperature is 35°C, above 30°C", "resolved: Temperature is 29.2°C")
	states, err := w.st.Alerts(t.Context(), 5)
	if err != nil || len(states) != 1 || states[0].Key != "heat/home/temperature_celsius" || states[0].Target != "home" || states[0].Function != "weather" {
		t.Errorf("%+v %v", states, err)
	}
}

// TestAForecastIsJudgedByTheWorstOfTheNextDay, as of the run: its steps are in the future.
func TestAForecastIsJudgedByTheWorstOfTheNextDay(t *testing.T) {
	w := newWatchful(t, "rules: {frost-tonight: {field: weather_forecast.temperature_celsius, below: 0}}")
	run := w.run()
	forecast := func(values ...float64) {
		t.Helper()
		run.Started = run.Started.Add(time.Minute)
		var rs []reading.Reading
		for i, v := range values {
			rs = append(rs, reading.Reading{Name: "weather_forecast", Tags: map[string]string{"place": "home"}, Fields: warm(v), Time: noon.Add(time.Duration(i) * 12 * time.Hour)})
		}
		if _, _, err := SaveRun(t.Context(), w.st, run, checked(t, Found{Readings: rs}), nil, &w.watch); err != nil {
			t.Fatal(err)
		}
		w.watch.House.Active = map[string]bool{"frost-tonight/home/temperature_celsius": len(w.told()) > 0}
	}
	forecast(8, 2, 1, -9) // the frost is 36 hours away
	w.want("far", w.told())
	forecast(8, -2, -1, -9)
	forecast(7, -3, -1, -9)
	forecast(8, 2, 3, -9)
	w.want("told", w.told(), "fired: Temperature is -2°C, below 0°C", "resolved: Temperature is 2°C")
}

func TestTheSubjectOfASeriesIsItsLabels(t *testing.T) {
	m, _ := catalogue.Get("github_alerts")
	if got := labelsOf(&m, map[string]string{"repo": "me/it", "severity": "high"}); got != "me%2Fit/high" {
		t.Error(got)
	}
}
