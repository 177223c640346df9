module configservice

go 1.26
