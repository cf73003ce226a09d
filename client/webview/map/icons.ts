// The page's icons: paths in a box of 16 × 16, stroked with the colour of the text.

export const icons = {
  first: 'M4 3.5v9M12 3.5L6.5 8l5.5 4.5z',
  previous: 'M11 3.5L5 8l6 4.5',
  next: 'M5 3.5L11 8l-6 4.5',
  last: 'M12 3.5v9M4 3.5L9.5 8 4 12.5z',
  play: 'M5 3l8 5-8 5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  zoomIn: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14M5 7h4M7 5v4',
  zoomOut: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14M5 7h4',
  whole: 'M2 5V2.5h12V5M2 11v2.5h12V11M4.5 8h7M6 6.5L4.5 8 6 9.5M10 6.5L11.5 8 10 9.5',
  touched: 'M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3M6 6h4v4H6z',
  link: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5l-1.2 1.2a2.8 2.8 0 0 1-4-4L5 7.5',
  anomaly: 'M8 2.5l6 11H2zM8 6.5v3.5M8 11.6v.6',
  pin: 'M9.5 2.5l4 4-3 1-2.5 2.5-.5 3-4.5-4.5 3-.5L8.5 5.5zM5 11l-2.5 2.5',
  save: 'M8 2.5v7M5 7l3 3 3-3M2.5 11v2.5h11V11',
  help: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM6 6.3a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1M8 11.1v.7',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14',
  close: 'M4 4l8 8M12 4l-8 8',
} as const;
