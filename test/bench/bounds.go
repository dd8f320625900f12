package main

// bound is a promise about one figure.
type bound struct {
	what         string
	figure, most float64
}

func (b bound) kept() bool { return b.figure <= b.most }

// What is promised of the controller.
const (
	// others is how many requests a vault may get besides those that cannot be avoided: challenges, in the main.
	others = 3
	// slower is how much longer than the floor creating may take.
	slower = 1.5
	// spare is how many writes there may be besides one Secret and one status for each object.
	spare = 20
	// createCPU and checkCPU are milliseconds for each object.
	createCPU, checkCPU = 3, 2
	// fewMemory and manyMemory are MiB for up to few and for many SecretSyncs; in between memory may grow evenly.
	few, many             = 1000, 10_000
	fewMemory, manyMemory = 60, 200
)

// bounds are the promises that an entry is held to.
func bounds(e entry) []bound {
	list := []bound{{"vault requests", float64(e.VaultRequests), float64(e.least() + others)}}
	cpu := bound{"CPU ms per object", e.CPUMsPerObject, checkCPU}
	if e.Phase == phaseCreate {
		cpu.most = createCPU
		list = append(list,
			bound{"vault reads", float64(e.VaultReads), float64(e.objects)},
			bound{"token exchanges", float64(e.TokenRequests), 1},
			bound{"wall s (1.5 × floor)", e.WallS, slower * e.FloorS},
			bound{"API server writes", float64(e.APIServerWrites), float64(2*e.N + spare)},
		)
	}
	return append(list, cpu, bound{"anonymous MiB", e.PeakAnonMiB, memoryBound(e.N)})
}

func memoryBound(n int) float64 {
	if n <= few {
		return fewMemory
	}
	return fewMemory + float64(n-few)*(manyMemory-fewMemory)/(many-few)
}
