package glance

import "context"

func today(context.Context, *world) (*Tile, error) { return nil, nil }
