package glance

import "context"

func github(context.Context, *World) (*Tile, error) { return nil, nil }
