/**
 * Names that the server rewrites when it stores a query: functions and types whose case does not matter, and their
 * aliases. Source: `system.functions` and `system.data_type_families` of ClickHouse 26.7.2.1; a test compares
 * them with the engine. Functions whose case matters keep their name, also where they are aliases of another.
 */

/** Functions whose case does not matter, in the server's spelling. */
const CASE_INSENSITIVE_FUNCTION_LIST = `
  CAST CRC32 CRC32IEEE CRC64 DATE FQDN HMAC UTCTimestamp YYYYMMDDToDate YYYYMMDDToDate32
  YYYYMMDDhhmmssToDateTime _CAST abs acos addDate age analysisOfVariance approx_top_k approx_top_sum
  arrayPartialShuffle arrayShuffle ascii asin atan atan2 avg avg2 bin byteSwap ceil char chdb coalesce concat
  connectionId corr cos count countSubstrings currentSchemas dateDiff dateName degrees exp factorial
  firstNonDefault floor greatest hasSubsequence hasSubsequenceCaseInsensitive hasSubsequenceCaseInsensitiveUTF8
  hasSubsequenceUTF8 hasTokenCaseInsensitive hasTokenCaseInsensitiveOrNull hex hypot if ifNull initcap
  isMergeTreePartCoveredBy isNull kolmogorovSmirnovTest lag lead least left length localtime locate log log10
  log2 lower makeDate makeDate32 makeDateTime makeDateTime64 max max2 mergeTreePartInfo midpoint min min2
  monthName not now now64 nth_value ntile nullIf overlay pi position positiveModulo positiveModuloOrNull pow
  radians rand rank repeat reverse revision right round row_number sign sin soundex space sqr sqrt subDate
  substring sum tan tanh timeDiff timestamp timezone toDecimalString today trunc unbin unhex upper version
`

/** Case-insensitive aliases, lower case, each followed by the function that the server stores instead. */
const FUNCTION_ALIAS_LIST = `
  anova=analysisOfVariance any_value=any any_value_respect_nulls=any_respect_nulls approx_top_count=approx_top_k
  array_agg=groupArray array_concat_agg=groupArrayArray array_remove=arrayRemove
  array_to_string=arrayStringConcat bit_and=groupBitAnd bit_or=groupBitOr bit_xor=groupBitXor
  byteslice=substring cardinality=length ceiling=ceil char_length=lengthUTF8 character_length=lengthUTF8
  concat_ws=concatWithSeparator connection_id=connectionId covar_pop=covarPop covar_samp=covarSamp curdate=today
  current_database=currentDatabase current_date=today current_query_id=currentQueryID
  current_schemas=currentSchemas current_timestamp=now current_user=currentUser database=currentDatabase
  date_bin=toStartOfInterval date_format=formatDateTime date_trunc=dateTrunc day=toDayOfMonth
  dayofmonth=toDayOfMonth dayofweek=toDayOfWeek dayofyear=toDayOfYear dense_rank=denseRank
  distancecosine=cosineDistance distancecosinetransposed=cosineDistanceTransposed distancel1=L1Distance
  distancel2=L2Distance distancel2squared=L2SquaredDistance distancel2transposed=L2DistanceTransposed
  distancelinf=LinfDistance distancelp=LpDistance first_value=any first_value_respect_nulls=any_respect_nulls
  flatten=arrayFlatten format_bytes=formatReadableSize from_base64=base64Decode from_days=fromDaysSinceYearZero
  from_unixtime=fromUnixTimestamp from_utc_timestamp=fromUTCTimestamp group_concat=groupConcat hour=toHour
  inet6_aton=IPv6StringToNum inet6_ntoa=IPv6NumToString inet_aton=IPv4StringToNum inet_ntoa=IPv4NumToString
  initial_query_id=initialQueryID initial_query_start_time=initialQueryStartTime instr=positionCaseInsensitive
  json_array_length=JSONArrayLength last_day=toLastDayOfMonth last_value=anyLast
  last_value_respect_nulls=anyLast_respect_nulls lcase=lower ln=log localtimestamp=now lpad=leftPad
  max_by=argMax microsecond=toMicrosecond mid=substring millisecond=toMillisecond min_by=argMin minute=toMinute
  mod=modulo modornull=moduloOrNull month=toMonth nanosecond=toNanosecond natural_sort_key=naturalSortKey
  normalizel1=L1Normalize normalizel2=L2Normalize normalizelinf=LinfNormalize normalizelp=LpNormalize
  norml1=L1Norm norml2=L2Norm norml2squared=L2SquaredNorm normlinf=LinfNorm normlp=LpNorm octet_length=length
  percent_rank=percentRank pmod=positiveModulo pmodornull=positiveModuloOrNull positive_modulo=positiveModulo
  positive_modulo_or_null=positiveModuloOrNull power=pow quarter=toQuarter query_id=queryID
  regexp_extract=regexpExtract regexp_instr=regexpPosition regexp_matches=match regexp_replace=replaceRegexpAll
  regexp_substr=regexpExtract regexpinstr=regexpPosition replace=replaceAll rpad=rightPad
  scalarproduct=dotProduct scalarproducttransposed=dotProductTransposed schema=currentDatabase second=toSecond
  session_user=currentUser std=stddevPop stddev=stddevSamp stddev_pop=stddevPop stddev_samp=stddevSamp
  str_to_date=parseDateTimeOrNull str_to_map=extractKeyValuePairs string_agg=groupConcat substr=substring
  substring_index=substringIndex time_bucket=toStartOfInterval timezone=timezone to_base64=base64Encode
  to_days=toDaysSinceYearZero to_unixtime=parseDateTime to_utc_timestamp=toUTCTimestamp truncate=trunc
  ucase=upper unnest=arrayJoin user=currentUser utc_timestamp=UTCTimestamp var_pop=varPop var_samp=varSamp
  vectordifference=tupleMinus vectorsum=tuplePlus week=toWeek width_bucket=widthBucket year=toYear
  yearweek=toYearWeek
`

/** Type names whose case does not matter, lower case with the words of a name joined by `_`, and the type they stand for. */
const TYPE_ALIAS_LIST = `
  bigint=Int64 bigint_signed=Int64 bigint_unsigned=UInt64 binary=FixedString binary_large_object=String
  binary_varying=String bit=UInt64 blob=String bool=Bool boolean=Bool byte=Int8 bytea=String char=String
  char_large_object=String char_varying=String character=String character_large_object=String
  character_varying=String clob=String dec=Decimal double=Float64 double_precision=Float64 enum=Enum
  fixed=Decimal float=Float32 geometry=Geometry inet4=IPv4 inet6=IPv6 int=Int32 int_signed=Int32 int_unsigned=UInt32 int1=Int8
  int1_signed=Int8 int1_unsigned=UInt8 integer=Int32 integer_signed=Int32 integer_unsigned=UInt32
  longblob=String longtext=String mediumblob=String mediumint=Int32 mediumint_signed=Int32
  mediumint_unsigned=UInt32 mediumtext=String national_char=String national_char_varying=String
  national_character=String national_character_large_object=String national_character_varying=String
  nchar=String nchar_large_object=String nchar_varying=String numeric=Decimal nvarchar=String real=Float32
  set=UInt64 signed=Int64 single=Float32 smallint=Int16 smallint_signed=Int16 smallint_unsigned=UInt16
  text=String timestamp=DateTime tinyblob=String tinyint=Int8 tinyint_signed=Int8 tinyint_unsigned=UInt8
  tinytext=String unsigned=UInt64 varbinary=String varchar=String varchar2=String year=UInt16
`

/** Aliases of aggregate functions whose case matters: resolved inside of types, kept in expressions. */
const AGGREGATE_ALIAS_LIST = `
  ST_AsMVT=MVTEncode anyLastRespectNulls=anyLast_respect_nulls anyRespectNulls=any_respect_nulls
  anyValueRespectNulls=any_respect_nulls firstValueRespectNulls=any_respect_nulls
  lastValueRespectNulls=anyLast_respect_nulls lttb=largestTriangleThreeBuckets median=quantile
  medianBFloat16=quantileBFloat16 medianBFloat16Weighted=quantileBFloat16Weighted medianDD=quantileDD
  medianDeterministic=quantileDeterministic medianExact=quantileExact medianExactHigh=quantileExactHigh
  medianExactLow=quantileExactLow medianExactWeighted=quantileExactWeighted
  medianExactWeightedInterpolated=quantileExactWeightedInterpolated medianGK=quantileGK
  medianInterpolatedWeighted=quantileInterpolatedWeighted medianTDigest=quantileTDigest
  medianTDigestWeighted=quantileTDigestWeighted medianTiming=quantileTiming
  medianTimingWeighted=quantileTimingWeighted sparkBar=sparkbar
  timeSeriesLastToGrid=timeSeriesResampleToGridWithStaleness
`

/** Aggregate functions that print themselves under the name of another in a type; no aliases, says the server. */
const PRINTED_AGGREGATES: ReadonlyMap<string, string> = new Map([
  ['sumMappedArrays', 'sumMap'],
  ['minMappedArrays', 'minMap'],
  ['maxMappedArrays', 'maxMap'],
])

/** Aggregate functions whose states have a version, which the server writes into the type: 1 (seen on 26.7). */
const VERSIONED_AGGREGATES: ReadonlySet<string> = new Set(
  'sumMap minMap maxMap sumMapWithOverflow sumMapFiltered sumMapFilteredWithOverflow groupBitmapAnd groupBitmapOr groupBitmapXor'.split(
    ' ',
  ),
)

/** Suffixes that make a new aggregate function of one; \`sumIf\` is \`sum\` with \`If\`. */
const COMBINATORS =
  'SimpleState OrDefault Distinct Resample ForEach ArgMax ArgMin OrNull Tuple Merge State Array Null Map If'.split(' ')

/** Types of their own whose case does not matter. */
const CASE_INSENSITIVE_TYPE_LIST = `
  Bool Date Date32 DateTime DateTime32 DateTime64 Decimal Decimal32 Decimal64 Decimal128 Decimal256 Enum Enum8 Enum16 JSON Time Time64
`

/** Lower-case name to stored name, from one of the lists above. */
function readList(...lists: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const list of lists)
    for (const word of list.trim().split(/\s+/)) {
      const [name = '', target = name] = word.split('=')
      names.set(name.toLowerCase(), target)
    }
  return names
}

function readCaseSensitive(list: string): ReadonlyMap<string, string> {
  const pairs = list.trim().split(/\s+/)
  return new Map(pairs.map((pair) => pair.split('=') as [string, string]))
}

const FUNCTIONS = readList(CASE_INSENSITIVE_FUNCTION_LIST, FUNCTION_ALIAS_LIST)
const AGGREGATE_ALIASES = readCaseSensitive(AGGREGATE_ALIAS_LIST)
const TYPES = readList(CASE_INSENSITIVE_TYPE_LIST, TYPE_ALIAS_LIST)

/** The name under which the server stores a call of `name`: `NOW` is `now`, `ln` is `log`; unknown names stay. */
export function canonicalFunctionName(name: string): string {
  return FUNCTIONS.get(name.toLowerCase()) ?? name
}

/** True for a function whose case does not matter. Some of them may be written without brackets: `DEFAULT now`. */
export function isCaseInsensitiveFunction(name: string): boolean {
  return FUNCTIONS.has(name.toLowerCase())
}

/** The aggregate function under which a state of `name` is stored: `median` is `quantile`, `COUNT` is `count`. */
export function canonicalAggregateName(name: string): string {
  const alias = AGGREGATE_ALIASES.get(name) ?? PRINTED_AGGREGATES.get(name)
  if (alias !== undefined) return alias
  const known = FUNCTIONS.get(name.toLowerCase())
  if (known !== undefined) return known
  const combinator = combinatorOf(name)
  if (combinator === undefined) return name
  return canonicalAggregateName(name.slice(0, -combinator.length)) + combinator
}

/** True when the server writes a version into the type of a state of `name`, a canonical name. */
export function isVersionedAggregate(name: string): boolean {
  if (VERSIONED_AGGREGATES.has(name)) return true
  const combinator = combinatorOf(name)
  return combinator !== undefined && isVersionedAggregate(name.slice(0, -combinator.length))
}

function combinatorOf(name: string): string | undefined {
  return COMBINATORS.find((suffix) => name.endsWith(suffix) && name.length > suffix.length)
}

/** Answers by name as written: a schema says the same few types thousands of times. */
const TYPE_NAMES = new Map<string, string>()

/** The type that `name` stands for: `varchar` is `String`, `BIGINT UNSIGNED` is `UInt64`; unknown names stay. */
export function canonicalTypeName(name: string): string {
  let canonical = TYPE_NAMES.get(name)
  if (canonical === undefined) {
    canonical = TYPES.get(name.toLowerCase().replaceAll(' ', '_')) ?? name
    if (TYPE_NAMES.size < 1000) TYPE_NAMES.set(name, canonical)
  }
  return canonical
}

/** Every rewritten name with what is stored for it, for the test against the engine. */
export const REWRITTEN_NAMES = { functions: FUNCTIONS, aggregates: AGGREGATE_ALIASES, types: TYPES }
