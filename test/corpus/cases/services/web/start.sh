#!/bin/sh
. /app/lib.sh
echo web: $(shared)
