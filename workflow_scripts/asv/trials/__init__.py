"""Trial lists and cohorts: their forms, and which utterances their names mean."""
