package page

import "fmt"

// How wide cells are, in columns of a grid: of 12 on wide screens, of 6 on narrower ones. A
// kind that is not named is as wide as "".
var (
	wide   = map[string]int{"weather": 5, "today": 4, "air": 3, "rooms": 5, "power": 4, "": 3}
	narrow = map[string]int{"weather": 6, "today": 4, "air": 2, "rooms": 6, "power": 4, "house": 2, "": 3}
)

const (
	wideColumns   = 12
	narrowColumns = 6
	later         = 0.4 // how much a row counts of what the row before it does
)

// place sets the classes of cells that place them in the grids, so that each row is full,
// whichever cells are missing, and returns how many rows the wide grid has.
func place(cells []cell) (rows int) {
	kinds := make([]string, len(cells))
	for i, c := range cells {
		kinds[i] = c.Tiles[0].Kind()
	}
	w, rows := spans(kinds, wide, wideColumns)
	n, _ := spans(kinds, narrow, narrowColumns)
	for i := range cells {
		cells[i].Class = fmt.Sprintf("w%d n%d", w[i], n[i])
	}
	return rows
}

// spans divides cells into rows, in their order, and widens those of a row that is not full.
// Of all divisions it takes the one whose rows are filled most evenly; that the first rows are
// full counts more than that the later ones are.
func spans(kinds []string, widths map[string]int, columns int) (out []int, rows int) {
	n := len(kinds)
	out = make([]int, n)
	for i, k := range kinds {
		if out[i] = widths[k]; out[i] == 0 {
			out[i] = widths[""]
		}
	}
	cost, next := make([]float64, n+1), make([]int, n+1) // of the cells from i on; where the next row begins
	for i := n - 1; i >= 0; i-- {
		cost[i] = -1
		for sum, j := 0, i; j < n && sum+out[j] <= columns; {
			sum += out[j]
			j++
			if c := float64((columns-sum)*(columns-sum)) + later*cost[j]; cost[i] < 0 || c <= cost[i] {
				cost[i], next[i] = c, j
			}
		}
	}
	for i := 0; i < n; i = next[i] {
		widen(out[i:next[i]], columns)
		rows++
	}
	return out, rows
}

// widen widens the cells of a row until it is full, the narrowest first.
func widen(row []int, columns int) {
	sum := 0
	for _, w := range row {
		sum += w
	}
	for ; sum < columns; sum++ {
		least := 0
		for i, w := range row {
			if w < row[least] {
				least = i
			}
		}
		row[least]++
	}
}
