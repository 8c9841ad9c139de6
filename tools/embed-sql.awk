# sql/*.sql -> rows of struct migration (controller/data/migrate.h), for migrations.c to include.
# awk -f tools/embed-sql.awk sql/0001_x.sql sql/0002_y.sql ... > build/gen/migrations.inc
FNR == 1 {
    if (NR > 1)
        print "},"
    name = FILENAME
    sub(/^.*\//, "", name)
    sub(/\.sql$/, "", name)
    version = name
    sub(/_.*$/, "", version)
    sub(/^0+/, "", version)
    printf "{%s, \"%s\",\n", version, name
}
{
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    print "\"" $0 "\\n\""
}
END {
    if (NR > 0)
        print "},"
}
