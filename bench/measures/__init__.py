"""What is measured, one module a subject. Each gives figures; what they are called and what is asked of them stands in
`bench.targets`.
"""
