"""The benchmark: Tollgate beside nginx as a plain proxy, over the same mock upstream, measured as ratios in one run."""
