module kvtenant.io/tests/probe

go 1.26.0
